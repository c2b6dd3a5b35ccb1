"""What is said of a revision: of a failure, of what it leaves different, of rows that are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from harness.core import sqlstate
from harness.core.finding import Finding, Severity
from harness.scenario.revisions.apply import SqlError
from harness.scenario.revisions.classes import (
    COLUMN_ORDER,
    CONSTRAINTS,
    DATA,
    FUNCTION_TEXT,
    HARMLESS,
    OBJECTS,
    PRIVILEGES,
    SEQUENCES_AHEAD,
    UNSHARED,
)  # fmt: skip
from harness.scenario.revisions.kill import Kill
from harness.scenario.revisions.states import Unlike
from harness.subject.adapter.model import ForeignRevision, ForeignScript

_HINTS: Final = {
    DATA: "keep what the way up overwrites or deletes, and put it back; or declare it"
    " `-- harness: irreversible REASON`",
    PRIVILEGES: "let the way back give and take the same rights, owners and policies",
    OBJECTS: "let the way back make what the way up drops, and drop what it makes",
    CONSTRAINTS: "let the way back set the default, NOT NULL, type and constraints as they were",
    COLUMN_ORDER: "a column that is added again stands last; nothing has to be done",
    FUNCTION_TEXT: "let the way back write the function's text as it was",
    SEQUENCES_AHEAD: "numbers were drawn; nothing has to be done",
    UNSHARED: "no two runs share these values; nothing has to be done",
}
_ONE_STATEMENT: Final = (
    "let each revision without a transaction hold one statement, after one that removes what a"
    " killed run left"
)
_ADVICE: Final = {
    sqlstate.ACTIVE_SQL_TRANSACTION: "mark it as one without a transaction, as its tool wants it",
    sqlstate.UNSAFE_NEW_ENUM_VALUE_USAGE: "add the label in a revision before the one that uses it",
    sqlstate.INSUFFICIENT_PRIVILEGE: "the tree runs without a superuser's rights; see --superuser",
    sqlstate.DUPLICATE_TABLE: "something of that name is there; look which revision made it",
    sqlstate.SYNTAX_ERROR: "correct the statement",
    sqlstate.FEATURE_NOT_SUPPORTED: "see whether this server has it, or choose another --server",
    sqlstate.UNDEFINED_FILE: "the server lacks the extension; choose --server system or container",
}


def of_failure(name: str, script: ForeignScript, error: SqlError, what: str) -> Finding:
    """A script that the server refused."""
    where = script.path if error.line is None else f"{script.path}:{error.line}"
    hint = _ADVICE.get(error.sqlstate) or error.hint or "run it by hand on a copy to see the state"
    return Finding(name, "critical", where, f"{what}: {error}", hint, error.sqlstate)


def of_rows(name: str, script: ForeignScript, error: SqlError) -> Finding:
    """A script that goes up without rows, and not with those that were made from the catalog."""
    where = script.path if error.line is None else f"{script.path}:{error.line}"
    return Finding(
        name, "warning", where, f"does not go up with the rows that were made: {error}",
        "see whether your rows may be like these; add the constraint that they keep to, or"
        " check this one with --rows 0", error.sqlstate,
    )  # fmt: skip


def of_unlike(revision: ForeignRevision, found: Unlike, what: str) -> list[Finding]:
    """A finding for each class of difference; those of a declared revision are no failure."""
    script = revision.down or revision.up
    return [
        Finding(
            f"revision.back.{name.replace(' ', '_')}",
            _severity(revision, name),
            script.path,
            f"{what} {len(texts)} {'difference' if len(texts) == 1 else 'differences'} of {name}:"
            f" {'; '.join(texts[:3])}{' …' if len(texts) > 3 else ''}",
            _HINTS[name],
            "; ".join(texts),
        )
        for name, texts in found.by_class.items()
    ]


def _severity(revision: ForeignRevision, name: str) -> Severity:
    return "info" if name in HARMLESS or revision.irreversible else "critical"


def of_loss(revision: ForeignRevision, lost: Mapping[str, int]) -> list[Finding]:
    """Rows that are gone after the way up."""
    return [
        Finding(
            "revision.loses_rows", "warning", revision.up.path,
            f"{rows} rows of {name} are gone afterwards",
            "keep them until the revision is known to stay", f"{rows} rows",
        )
        for name, rows in lost.items()
    ]  # fmt: skip


def of_kills(revision: ForeignRevision, kills: Sequence[Kill], *, habit: bool) -> list[Finding]:
    """The worst of the kills: a database that is silently another one; one that is stuck.

    `habit`: the tool is stuck after every kill, whatever a revision holds.
    """
    found = []
    for end, name, severity, what, hint in (
        (
            "other", "revision.silently_other", "critical",
            "killed and run again it ends without an error, and the database is another",
            "make it idempotent, or put it and its version row into one transaction",
        ),
        (
            "stuck", "revision.stuck", "info" if habit else "warning",
            "killed and run again it fails", _ONE_STATEMENT,
        ),
    ):  # fmt: skip
        ends = [one for one in kills if one.end == end]
        if ends:
            first = ends[0]
            found.append(
                Finding(
                    name, severity, f"{revision.up.path}:{first.line}",  # type: ignore[arg-type] # two words
                    f"{what} ({len(ends)} of {len(kills)} kills):"
                    f" {first.said}",
                    hint,
                    f"{first.after} — " + "; ".join(f"line {one.line}: {one.said}" for one in ends),
                )
            )  # fmt: skip
    return found
