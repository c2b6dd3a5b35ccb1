"""The keys of a project file, and what a value of each looks like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.core.errors import UsageError
from harness.plan.reader import DURATION, UNITS, suggestion
from harness.subject.kinds import BUILT_IN, Shape, find_kind, list_names

OBJECT = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
MOST_ROWS = 100_000_000
DAY = 86_400


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def text(value: Any) -> str | None:
    """A text with something in it."""
    return None if _is_text(value) else "a text"


def texts(value: Any) -> str | None:
    """One text, or a list of them."""
    listed = isinstance(value, list) and all(_is_text(item) for item in value)
    return None if listed or _is_text(value) else "a text or a list of texts"


def kind(value: Any) -> str | None:
    """A kind of subject that this harness can run."""
    if value in BUILT_IN or find_kind(value) is not None:
        return None
    return f"one of {', '.join(list_names())}"


def revision(value: Any) -> str | None:
    """A git revision, which is never taken for an option of git."""
    return None if _is_text(value) and not value.startswith("-") else "a git revision"


def object_name(value: Any) -> str | None:
    """The name of a Python object."""
    named = isinstance(value, str) and OBJECT.fullmatch(value)
    return None if named else '"module:name", such as "tests.subject:shop"'


def row_count(value: Any) -> str | None:
    """A number of rows that can be made."""
    return None if _is_whole(value, 1, MOST_ROWS) else f"a whole number from 1 to {MOST_ROWS}"


def seed(value: Any) -> str | None:
    """A number that rows are drawn by."""
    return None if _is_whole(value, 0, 2**63 - 1) else "a whole number that is not negative"


def duration(value: Any) -> str | None:
    """How long something may take: more than nothing, a day at most."""
    told = isinstance(value, str) and DURATION.fullmatch(value)
    known = told and 0 < float(told[1]) * UNITS[told[2]] <= DAY
    return None if known else 'a time up to 24h, such as "300s" or "10min"'


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def table_of_tables(value: Any) -> str | None:
    """A table for each name, as `rows.tables` has; what these hold is read by who makes rows."""
    tables = isinstance(value, dict) and all(isinstance(one, dict) for one in value.values())
    return None if tables else "a table for each table's name"


def table_of_texts(value: Any) -> str | None:
    """A text for each name."""
    told = isinstance(value, dict) and all(_is_text(one) for one in value.values())
    return None if told else "a table: a reason for each name"


KEYS: Mapping[str, Mapping[str, Shape]] = {
    "subject": {
        "kind": kind,
        "path": text,
        "since": revision,
        "object": object_name,
        "up": text,
        "down": text,
        "probe": text,
        "unlock": text,
        "baseline": texts,
        "bookkeeping": texts,
        "limit": duration,
    },
    "rows": {"count": row_count, "seed": seed, "tables": table_of_tables},
    "roles": {"application": texts, "anonymous": texts},
    "suites": {"path": text, "required": texts},
    "benchmark": {"accept": table_of_texts},
}
OF_COMMAND = ("up", "down", "probe", "unlock", "baseline", "bookkeeping", "limit")
"""Keys of [subject] that only a subject of kind command has."""


class BadKeyError(UsageError):
    """What is wrong with a key of the document; `path` leads to it."""

    def __init__(self, message: str, path: tuple[str, ...], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.path = path


def check_keys(document: Mapping[str, Any]) -> None:
    """Raise BadKeyError for the first key that is not known, or whose value is of another shape."""
    _check_kind_name(document.get("subject"))
    for section, values in document.items():
        if section not in KEYS:
            raise BadKeyError(f"unknown key {section!r}", (section,), suggestion(section, KEYS))
        if not isinstance(values, dict):
            raise BadKeyError(f"{section} must be a table", (section,))
        known = {**KEYS[section], **own_keys(values)} if section == "subject" else KEYS[section]
        for key, value in values.items():
            _check_value(section, known, key, value)
    _check_kind(document.get("subject", {}))


def own_keys(subject: Mapping[str, Any]) -> Mapping[str, Shape]:
    """The keys of [subject] that only its kind has, where another package registered that."""
    kind = find_kind(subject.get("kind"))
    return kind.keys if kind is not None else {}


def _check_kind_name(subject: Any) -> None:
    """Before its keys: which these are is the kind's to say."""
    if isinstance(subject, dict) and "kind" in subject:
        _check_value("subject", KEYS["subject"], "kind", subject["kind"])


def _check_value(section: str, known: Mapping[str, Shape], key: str, value: Any) -> None:
    if key not in known:
        raise BadKeyError(
            f"unknown key {key!r} in [{section}]", (section, key), suggestion(key, known)
        )
    wanted = known[key](value)
    if wanted is not None:
        raise BadKeyError(f"{section}.{key} is {wanted}, not {value!r}", (section, key))


def _check_kind(subject: Mapping[str, Any]) -> None:
    found = subject.get("kind", "plan")
    if "since" in subject:
        message = f"subject.since has no effect on a subject of kind {found}"
        hint = "take the key away: it is for trees whose revisions are told one from another"
        raise BadKeyError(message, ("subject", "since"), hint)
    if found == "command":
        if "up" not in subject:
            hint = 'write the command line that migrates, such as "alembic upgrade head"'
            raise BadKeyError(
                "a subject of kind command needs a text 'up'", ("subject", "kind"), hint
            )
        return
    kind = find_kind(found)
    for key in kind.required if kind is not None else ():
        if key not in subject:
            message = f"a subject of kind {found} needs {key!r}"
            raise BadKeyError(message, ("subject", "kind"))
    own = own_keys(subject)
    for key in OF_COMMAND:
        if key in subject and key not in own:
            hint = 'say subject.kind = "command", or take the key away'
            raise BadKeyError(f"subject.{key} belongs to kind command", ("subject", key), hint)
