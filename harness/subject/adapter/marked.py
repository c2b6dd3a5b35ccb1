"""What readers of one-file revisions share: a marker for up, one for down, options behind them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.subject.adapter.files import (
    below,
    declared_irreversible,
    list_sql,
    read_sql,
    refuse_twice,
)
from harness.subject.adapter.model import ForeignRevision, ForeignScript, Sending
from harness.subject.adapter.sections import MarkedSection, part


@dataclass(frozen=True)
class Marked:
    """How a tool marks the two ways of a file, and how it sends them.

    `version` takes a file's stem. `opted_out` says whether a section is sent without a transaction.
    """

    marker: re.Pattern[str]
    up: str
    down: str
    version: re.Pattern[str]
    sending: Sending
    opted_out: Callable[[str, MarkedSection], bool]


def read_marked(root: Path, kind: Marked) -> list[ForeignRevision]:
    """The revisions of a directory, in the order of their files' names.

    Raises UsageError for a version that two files claim.
    """
    found = [
        _revision(path, root, kind)
        for path in list_sql(root)
        if kind.version.match(path.name) is not None
    ]
    refuse_twice(root, ((str(one.values["version"]), one.path) for one in found))
    return found


def _revision(path: Path, root: Path, kind: Marked) -> ForeignRevision:
    text, name = read_sql(path), below(path, root)
    sections = part(text, kind.marker)
    found = kind.version.match(path.name)
    version = found[1] if found else path.stem
    up, down = sections.get(kind.up), sections.get(kind.down)
    values = {"version": version, "name": path.name}
    if up is None:
        empty = ForeignScript(name, text)
        flaw = f"{name}:1: has no marker for the way up"
        return ForeignRevision(path.stem, name, empty, values=values, flaw=flaw)
    return ForeignRevision(
        name=path.stem,
        path=name,
        up=_script(name, text, up, kind),
        down=_script(name, text, down, kind) if down and _has_sql(down.text) else None,
        values=values,
        irreversible=declared_irreversible(text),
    )


def _script(name: str, whole: str, section: MarkedSection, kind: Marked) -> ForeignScript:
    alone = kind.opted_out(whole, section)
    return ForeignScript(
        path=name,
        text=section.text,
        line=section.line,
        transaction=not alone,
        sending=kind.sending,
        recording="after" if alone else "with",
    )


def _has_sql(text: str) -> bool:
    return bool(re.sub(r"--[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL).strip(" \t\r\n;"))
