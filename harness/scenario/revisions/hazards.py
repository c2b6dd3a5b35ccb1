"""What a revision does to those who use the database meanwhile, by what the server showed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pglast import ast, enums

from harness.core.finding import Finding
from harness.database.locks import blocked_by_mode
from harness.scenario.revisions.observe import StatementObserved
from harness.subject.adapter.model import ForeignScript

_STRONG: Final = frozenset(
    {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}
)
_SWAP: Final = "add a new column, fill it in batches, and exchange the names"
_CAUGHT: Final = 200


def find_hazards(script: ForeignScript, seen: Sequence[StatementObserved]) -> list[Finding]:
    """The findings of a script's statements, each with its line and what the server showed."""
    found = [finding for one in seen for finding in _of_statement(script, one)]
    return [*found, *_two_tables(script, seen)]


def _of_statement(script: ForeignScript, one: StatementObserved) -> Iterator[Finding]:
    node = one.statement.node
    for relation in one.rewritten:
        if not isinstance(node, ast.TruncateStmt):
            yield _rewrite(script, one, relation)
    if isinstance(node, ast.AlterTableStmt):
        yield from _of_alter(script, one, node)
    elif isinstance(node, ast.IndexStmt):
        yield from _of_index(script, one, node)
    elif isinstance(node, ast.RenameStmt):
        yield from _of_rename(script, one, node)
    elif isinstance(node, ast.UpdateStmt | ast.DeleteStmt):
        yield from _of_change(script, one, node)
    for said in one.skipped:
        yield _finding(
            "revision.if_not_exists_skipped", script, one, f"IF NOT EXISTS made nothing: {said}",
            "look whether what is there is what was meant; else name it anew",
        )  # fmt: skip


def _rewrite(script: ForeignScript, one: StatementObserved, relation: str) -> Finding:
    volatile = _adds_column(one.statement.node)
    name = "revision.volatile_default" if volatile else "revision.rewrites"
    why = " for a default that each row gets anew" if volatile else ""
    hint = (
        "add the column without a default, fill it in batches, then set the default"
        if volatile
        else _SWAP
    )
    return _finding(
        name, script, one, f"writes {relation} anew{why} while nobody can read it", hint,
        f"another relfilenode after {one.seconds:.3f} s",
    )  # fmt: skip


def _adds_column(node: object) -> bool:
    return isinstance(node, ast.AlterTableStmt) and any(
        command.subtype == enums.AlterTableType.AT_AddColumn for command in node.cmds or ()
    )


def _of_alter(
    script: ForeignScript, one: StatementObserved, node: ast.AlterTableStmt
) -> Iterator[Finding]:
    for command in node.cmds or ():
        added = command.def_ if command.subtype == enums.AlterTableType.AT_AddConstraint else None
        if isinstance(added, ast.Constraint) and _is_locked(one, node.relation):
            yield from _of_constraint(script, one, added)
    if one.rewritten or any(_is_foreign(command) for command in node.cmds or ()):
        return
    for relation, rows in one.read.items():
        if any(lock.relation == relation and lock.mode in _STRONG for lock in one.locks):
            yield _finding(
                "revision.scans_under_lock", script, one,
                f"reads all of {relation} while {_stopped(one, relation)} wait",
                "add the constraint NOT VALID, then VALIDATE it in another transaction;"
                " SET NOT NULL then takes a valid CHECK (… IS NOT NULL) for its proof",
                f"{rows} rows were read",
            )  # fmt: skip


def _is_locked(one: StatementObserved, table: ast.RangeVar | None) -> bool:
    # a table that the transaction made itself has no rows of users, and nobody waits for it
    name = "" if table is None else table.relname
    return any(
        lock.mode in _STRONG and lock.relation.rpartition(f".{name}")[1:] == (f".{name}", "")
        for lock in one.locks
    )


def _is_foreign(command: ast.AlterTableCmd) -> bool:
    return (
        isinstance(command.def_, ast.Constraint)
        and command.def_.contype == enums.ConstrType.CONSTR_FOREIGN
    )


def _of_constraint(
    script: ForeignScript, one: StatementObserved, added: ast.Constraint
) -> Iterator[Finding]:
    kind = enums.ConstrType
    if added.contype == kind.CONSTR_FOREIGN and not added.skip_validation:
        yield _finding(
            "revision.foreign_key_validates", script, one,
            "adds a foreign key and looks at every row, while nobody can write to either table",
            "add it NOT VALID, then VALIDATE CONSTRAINT in another transaction", _locks(one),
        )  # fmt: skip
    if (
        added.contype in (kind.CONSTR_UNIQUE, kind.CONSTR_PRIMARY, kind.CONSTR_EXCLUSION)
        and not added.indexname
    ):
        yield _finding(
            "revision.index_blocks", script, one, "builds an index while nobody can read the table",
            "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX", _locks(one),
        )  # fmt: skip


def _of_index(
    script: ForeignScript, one: StatementObserved, node: ast.IndexStmt
) -> Iterator[Finding]:
    if node.concurrent or not any(lock.mode == "ShareLock" for lock in one.locks):
        return
    what = "a unique index" if node.unique else "an index"
    yield _finding(
        "revision.unique_index_blocks" if node.unique else "revision.index_blocks", script, one,
        f"builds {what} while nobody can write to the table",
        "CREATE INDEX CONCURRENTLY, in a revision without a transaction", _locks(one),
    )  # fmt: skip


def _of_rename(
    script: ForeignScript, one: StatementObserved, node: ast.RenameStmt
) -> Iterator[Finding]:
    kinds = enums.ObjectType
    if (
        node.renameType not in (kinds.OBJECT_TABLE, kinds.OBJECT_COLUMN, kinds.OBJECT_VIEW)
        or not one.locks
    ):
        return
    assert node.relation is not None, "a table, a view and a column have one"
    old = node.subname if node.renameType == kinds.OBJECT_COLUMN else node.relation.relname
    yield _finding(
        "revision.renames", script, one,
        f"renames {old} to {node.newname}: what asks for {old} fails from that moment on",
        "keep the old name as a view until nothing asks for it", _locks(one),
    )  # fmt: skip


def _of_change(
    script: ForeignScript, one: StatementObserved, node: ast.UpdateStmt | ast.DeleteStmt
) -> Iterator[Finding]:
    rows = sum(one.changed.values())
    if node.whereClause is None and rows:
        yield _finding(
            "revision.unbounded_change", script, one,
            f"changes all {rows} rows of {', '.join(one.changed)} in one transaction",
            "change them in batches by key, each in a transaction of its own",
            f"{rows} rows stayed locked until the end",
        )  # fmt: skip


def _two_tables(script: ForeignScript, seen: Sequence[StatementObserved]) -> Iterator[Finding]:
    """Two tables that a transaction keeps locked at once, taken one after the other."""
    if not script.transaction and script.sending != "whole":
        return
    first: StatementObserved | None = None
    locked: set[str] = set()
    for one in seen:
        new = {lock.relation for lock in one.locks if lock.mode in _STRONG} - locked
        if new and first is not None and not _is_one_key(one):
            yield _finding(
                "revision.locks_two_tables", script, one,
                f"locks {', '.join(sorted(new))} while {', '.join(sorted(locked))} is locked still",
                "one table a transaction: who holds the second keeps users of the first waiting",
            )  # fmt: skip
            return
        if new:
            first, locked = one, locked | new


def _is_one_key(one: StatementObserved) -> bool:
    node = one.statement.node
    return isinstance(node, ast.AlterTableStmt) and any(map(_is_foreign, node.cmds or ()))


def _locks(one: StatementObserved) -> str:
    return ", ".join(
        f"{lock.mode} on {lock.relation} for {lock.seconds:.3f} s"
        for lock in one.locks
        if lock.mode in _STRONG
    )


def _stopped(one: StatementObserved, relation: str) -> str:
    modes = [lock.mode for lock in one.locks if lock.relation == relation]
    words: Iterable[str] = filter(None, map(blocked_by_mode, modes))
    return next(iter(words), "writes")


def _finding(
    name: str,
    script: ForeignScript,
    one: StatementObserved,
    message: str,
    hint: str,
    evidence: str = "",
) -> Finding:
    text = " ".join(one.statement.text.split())[:_CAUGHT]
    proof = f"{text} — {evidence}" if evidence else text
    return Finding(name, "warning", f"{script.path}:{one.statement.line}", message, hint, proof)
