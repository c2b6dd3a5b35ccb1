"""Trees whose files hold the way up alone, or whose way back lies in a file of another name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.subject.adapter.files import (
    below,
    declared_irreversible,
    list_sql,
    numbers,
    read_sql,
    refuse_twice,
)  # fmt: skip
from harness.subject.adapter.model import ForeignRevision, ForeignScript, Sending


@dataclass(frozen=True)
class NamedFiles:
    """How a tool names its files and sends them.

    `name` has groups `version` and `rest`; `alone` says which text is sent without a transaction;
    `down` names the file of the way back. `consecutive`: a gap in the numbers is refused.
    """

    name: re.Pattern[str]
    sending: Sending
    alone: Callable[[Path, str], bool]
    down: Callable[[Path], Path | None] = lambda _path: None
    later_row: bool = False


def read_named(root: Path, kind: NamedFiles) -> list[ForeignRevision]:
    """The revisions of a directory by version; UsageError for a version twice."""
    found = [_revision(path, root, kind) for path in list_sql(root) if kind.name.match(path.name)]
    refuse_twice(root, ((str(one.values["version"]), one.path) for one in found))
    return sorted(found, key=lambda one: numbers(str(one.values["version"])))


def _revision(path: Path, root: Path, kind: NamedFiles) -> ForeignRevision:
    named = kind.name.match(path.name)
    assert named is not None, "only files that are named so are read"
    text, back = read_sql(path), kind.down(path)
    parts = numbers(named["version"])
    return ForeignRevision(
        name=path.stem,
        path=below(path, root),
        up=_script(path, root, kind),
        down=_script(back, root, kind) if back and back.is_file() else None,
        values={
            "version": named["version"],
            "name": path.name,
            "rest": named["rest"],
            "number": parts[0] if parts else 0,
        },
        irreversible=declared_irreversible(text),
    )


def _script(path: Path, root: Path, kind: NamedFiles) -> ForeignScript:
    text = read_sql(path)
    alone = kind.alone(path, text)
    return ForeignScript(
        path=below(path, root),
        text=text,
        transaction=not alone,
        sending=kind.sending,
        recording="after" if alone or kind.later_row else "with",
    )
