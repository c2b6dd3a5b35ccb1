"""SQL rewritten for the schema after: the text with its edits, or why it is left as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.artifact.renames import RenameMap, ValuePairs
from harness.artifact.sql.edits import Doubt, Edit, apply_edits
from harness.artifact.sql.mask import Masked
from harness.artifact.sql.nodes import UnparsedSQL, parse
from harness.artifact.sql.walk import RenameWalk


@dataclass(frozen=True)
class RewrittenSQL:
    """A text after the rewriting; with `doubts` it is the old one, byte for byte.

    `variables` are compared with columns of which values change; `outputs` are the columns of the
    result that are called otherwise, `vocabularies` those of which the values are.
    """

    text: str
    edits: tuple[Edit, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    variables: Mapping[str, ValuePairs] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    vocabularies: Mapping[str, ValuePairs] = field(default_factory=dict)


def rewrite_sql(source: str | Masked, renames: RenameMap) -> RewrittenSQL:
    """Rewrite a query, or several; what names nothing that changes is given back unread."""
    masked = Masked.plain(source) if isinstance(source, str) else source
    text = masked.text.decode()
    if renames.words.search(text) is None:
        return RewrittenSQL(text)
    try:
        statements = parse(masked.parsed.decode())
    except UnparsedSQL as error:
        return RewrittenSQL(text, doubts=(Doubt(error.position, f"does not parse: {error}"),))
    walk = RenameWalk(masked, renames)
    for statement in statements:
        walk.statement(statement)
    notes = walk.notes
    if notes.doubts:
        return RewrittenSQL(text, doubts=tuple(sorted(set(notes.doubts))))
    made = apply_edits(masked.text, notes.edits).decode()
    edits = tuple(sorted(notes.edits))
    return RewrittenSQL(made, edits, (), notes.variables, notes.outputs, notes.vocabularies)


def place_of(text: str, doubt: Doubt) -> str:
    """Where a doubt arose, as line:column of the SQL, both from 1."""
    before = text.encode()[: doubt.position].decode("utf-8", "replace")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return f"{line}:{column}"
