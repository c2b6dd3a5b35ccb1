"""A walk through the parser's tree that notes every edit a rename asks for.

Names are resolved as the server resolves them: scopes from the inside out, common table expressions
before relations, an output's name before a column in ORDER BY and after it in GROUP BY.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from harness.artifact.renames import RenameMap, ValuePairs
from harness.artifact.sql.comparison import Comparisons
from harness.artifact.sql.edits import Doubt, Edit, Notes
from harness.artifact.sql.items import Entries, Named
from harness.artifact.sql.mask import Masked
from harness.artifact.sql.nodes import Node, fields_of, opened, texts
from harness.artifact.sql.scope import Output, Scope, Unclear, find_column, find_item
from harness.artifact.sql.tokens import Token, UnreadToken, names_at, spell_like

_READS: Final = ("SelectStmt", "ExplainStmt")


class RenameWalk:
    """One text, walked once; `notes` has what was found."""

    def __init__(self, masked: Masked, renames: RenameMap) -> None:
        self.text = masked.parsed
        self.masked = masked
        self.renames = renames
        self.notes = Notes()
        self._entries = Entries(self)
        self._comparisons = Comparisons(self)
        self._handlers: Mapping[str, Callable[[Any, Scope, Named], None]] = {
            "ColumnRef": self._column,
            "SelectStmt": lambda fields, scope, named: void(self.query(fields, scope, named)),
            "A_Expr": self._comparisons.expression,
            "CaseExpr": self._comparisons.case,
            "TypeCast": self._comparisons.cast,
        }

    def statement(self, node: Node) -> None:
        """RenameWalk a whole statement; one that is not a query is doubted."""
        kind, fields = opened(node)
        if kind == "ExplainStmt":
            kind, fields = opened(fields["query"])
        if kind not in _READS:
            self.doubt(0, f"it is not a query ({kind.removesuffix('Stmt').upper()})")
            return
        outputs = self.query(fields, None, {})
        for output in outputs or ():
            if output.old != output.new:
                self.notes.outputs[output.old] = output.new
            if output.values is not None:
                self.notes.vocabularies[output.old] = output.values

    def query(
        self, fields: Node, outer: Scope | None, named: Named, recursive: str | None = None
    ) -> list[Output] | None:
        """RenameWalk a SELECT; the columns of its result, None where they are not known."""
        named = self._entries.common(fields.get("withClause"), outer, named)
        if fields.get("op", "SETOP_NONE") != "SETOP_NONE":
            return self._union(fields, outer, named, recursive)
        scope = Scope(outer=outer)
        for entry in fields.get("fromClause", ()):
            self._entries.add(entry, scope, named)
        outputs = self._targets(fields.get("targetList", ()), scope, named)
        for key in ("whereClause", "havingClause", "valuesLists", "limitCount", "limitOffset"):
            self.visit(fields.get(key), scope, named)
        self.visit(fields.get("windowClause"), scope, named)
        names = _aliases(fields)
        for key in ("sortClause", "distinctClause"):
            for node in fields.get(key, ()):
                self._sorted(node, names, scope, named)
        for node in fields.get("groupClause", ()):
            self._grouped(node, names, scope, named)
        self._locked(fields.get("lockingClause", ()), scope)
        if "valuesLists" in fields:
            width = len(opened(fields["valuesLists"][0])[1].get("items", ()))
            return [Output(f"column{n}", f"column{n}") for n in range(1, width + 1)]
        return outputs

    def visit(self, value: Any, scope: Scope, named: Named) -> None:
        """RenameWalk whatever stands below a node."""
        if isinstance(value, list):
            for one in value:
                self.visit(one, scope, named)
        elif isinstance(value, dict):
            for kind, fields in value.items():
                handler = self._handlers.get(kind)
                if handler is not None:
                    handler(fields, scope, named)
                elif isinstance(fields, dict | list):
                    self.visit(fields, scope, named)

    def doubt(self, position: int, reason: str) -> None:
        """Note that something could not be decided."""
        self.notes.doubts.append(Doubt(position, reason))

    def put(self, token: Token, new: str) -> None:
        """Note an edit of a name."""
        self.notes.edits.add(Edit(token.start, token.end, spell_like(token.spelled, new)))

    def resolved(self, fields: Node, scope: Scope) -> Output | None:
        """The column that a reference means, without an edit; None for what is not known."""
        names = texts(fields.get("fields"))
        try:
            if len(names) == 1 and names[0] is not None:
                return find_column(scope, names[0])
            *qualifier, name = names
            if name is None or not qualifier[-1]:
                return None
            schema = qualifier[-2] if len(qualifier) > 1 else None
            item = find_item(scope, schema, qualifier[-1])
        except Unclear:
            return None
        return (item.columns or {}).get(name) if item else None

    def values_of(self, fields: Node, scope: Scope) -> ValuePairs | None:
        """What the values of a referenced column became; None where they stayed."""
        output = self.resolved(fields, scope)
        return output.values if output else None

    def _union(
        self, fields: Node, outer: Scope | None, named: Named, recursive: str | None
    ) -> list[Output] | None:
        left = self.query(fields["larg"], outer, named)
        if recursive is not None:
            named = {**named, recursive: left}
        right = self.query(fields["rarg"], outer, named)
        if left is None or right is None:
            return None
        columns = [
            Output(one.old, one.new, one.values if one.values == other.values else None)
            for one, other in zip(left, right, strict=False)
        ]
        scope = Scope(outer=outer)
        scope.items.append(self._entries.of_query(None, columns))
        self.visit(fields.get("sortClause"), scope, named)
        return columns

    def _targets(self, targets: list[Node], scope: Scope, named: Named) -> list[Output] | None:
        found: list[Output] = []
        known = True
        for node in targets:
            target = node["ResTarget"]
            value = target.get("val") or {}
            self.visit(value, scope, named)
            outputs = self._results(target, value, scope)
            known = known and outputs is not None
            found += outputs or ()
        return found if known else None

    def _results(self, target: Node, value: Node, scope: Scope) -> list[Output] | None:
        """The columns that an entry of the select list gives."""
        column = value
        while "TypeCast" in column or "CollateClause" in column:
            column = (column.get("TypeCast") or column.get("CollateClause") or {}).get("arg") or {}
        fields = fields_of(column, "ColumnRef")
        if fields and texts(fields["fields"])[-1] is None:
            return self._star(fields, scope)
        name = target.get("name") or _own_name(column)
        output = self.resolved(fields, scope) if fields else None
        if output is None:
            return [Output(name, name, self._comparisons.names_of(fields) if fields else None)]
        values = output.values if column is value else None
        return [Output(name, name if target.get("name") else output.new, values)]

    def _star(self, fields: Node, scope: Scope) -> list[Output] | None:
        names = texts(fields["fields"])
        items = scope.items
        if len(names) > 1 and names[-2] is not None:
            found = find_item(scope, None, names[-2])
            items = [found] if found else []
        outputs: list[Output] = []
        for item in items:
            if item.outputs is None:
                return None
            outputs += item.outputs
        return outputs

    def _column(self, fields: Node, scope: Scope, _named: Named) -> None:
        position = fields.get("location", 0)
        names = texts(fields["fields"])
        if self.masked.variable_at(position) and len(names) == 1:
            return
        try:
            self._renamed(names, position, scope)
        except (Unclear, UnreadToken) as error:
            self.doubt(position, str(error))

    def _renamed(self, names: list[str | None], position: int, scope: Scope) -> None:
        if len(names) == 1:
            if names[0] is None:
                return
            output = find_column(scope, names[0])
            if output is None:
                self._whole_row(names[0], position, scope)
            else:
                self.rename_column(output, lambda: names_at(self.text, position, 1)[0])
            return
        self._qualified(names, position, scope)

    def _qualified(self, names: list[str | None], position: int, scope: Scope) -> None:
        schema = names[-3] if len(names) > 2 else None
        item = find_item(scope, schema, str(names[-2]))
        if item is None or (item.renamed == item.alias and item.columns is None):
            return
        if self.masked.touches(position, position + 1) or len(names) > 3:
            raise Unclear("the relation of this column is not spelled out")
        count = len(names) - (names[-1] is None)
        tokens = names_at(self.text, position, count)
        at = tokens if names[-1] is None else tokens[:-1]
        if item.renamed is not None and item.renamed != item.alias:
            self.put(at[-1], item.renamed)
        if schema is not None and item.change is not None and item.change.new is not None:
            moved = item.change.new.name.schema
            if moved != item.change.old.name.schema:
                self.put(at[-2], moved)
        if names[-1] is not None:
            self._of_item(item.columns, names[-1], tokens[-1])

    def _of_item(self, columns: Mapping[str, Output] | None, name: str, token: Token) -> None:
        if self.masked.touches(token.start, token.end):
            changed = any(
                one.old != one.new or one.values or one.contested or one.gone
                for one in (columns or {}).values()
            )
            if changed:
                raise Unclear("which column it is comes from a template variable")
            return
        output = (columns or {}).get(name)
        if output is not None:
            self.rename_column(output, lambda: token)

    def rename_column(self, output: Output, token: Callable[[], Token]) -> None:
        """Note the edit of a reference to a column. Raises Unclear where there is no one name."""
        if output.contested:
            first, second = output.contested
            raise Unclear(
                f"{output.old!r} is {first!r} by its number and {second!r} by its name;"
                " say in the map which is meant"
            )
        if output.gone:
            raise Unclear(f"the column {output.old!r} is gone")
        if output.old != output.new:
            self.put(token(), output.new)

    def _whole_row(self, name: str, position: int, scope: Scope) -> None:
        item = find_item(scope, None, name)
        if item is not None and item.renamed is not None and item.renamed != item.alias:
            self.put(names_at(self.text, position, 1)[0], item.renamed)

    def _sorted(self, node: Node, names: frozenset[str], scope: Scope, named: Named) -> None:
        """ORDER BY and DISTINCT ON: the name of an output comes before a column."""
        inner = (fields_of(node, "SortBy") or {}).get("node") or node
        fields = fields_of(inner, "ColumnRef")
        if fields and len(fields["fields"]) == 1 and texts(fields["fields"])[0] in names:
            return
        self.visit(node, scope, named)

    def _grouped(self, node: Node, names: frozenset[str], scope: Scope, named: Named) -> None:
        """GROUP BY: a column comes before the name of an output, also one that is new."""
        fields = fields_of(node, "ColumnRef")
        name = texts(fields["fields"])[0] if fields and len(fields["fields"]) == 1 else None
        if fields and name in names and self.resolved(fields, scope) is None:
            if any(name in item.visible for item in scope.items):
                self.doubt(
                    fields.get("location", 0),
                    f"{name!r} groups by a result column, and would by the new column of that"
                    " name afterwards; give the result column another name",
                )
            return
        self.visit(node, scope, named)

    def _locked(self, clauses: list[Node], scope: Scope) -> None:
        for clause in clauses:
            for node in opened(clause)[1].get("lockedRels", ()):
                fields = node["RangeVar"]
                item = find_item(scope, None, fields["relname"])
                if item is not None and item.renamed and item.renamed != item.alias:
                    self.put(names_at(self.text, fields.get("location", 0), 1)[0], item.renamed)


def void(_value: object) -> None:
    """Nothing: for a call that is made for its effect."""


def _aliases(fields: Node) -> frozenset[str]:
    """The names that the select list gives with AS."""
    targets = (node["ResTarget"] for node in fields.get("targetList", ()))
    return frozenset(target["name"] for target in targets if "name" in target)


def _own_name(node: Node) -> str:
    """What the server calls an output without a name, as far as it matters here."""
    fields = fields_of(node, "ColumnRef")
    if fields:
        return texts(fields["fields"])[-1] or "?column?"
    called = fields_of(node, "FuncCall")
    if called:
        return texts(called["funcname"])[-1] or "?column?"
    if "CaseExpr" in node:
        return "case"
    if "CoalesceExpr" in node:
        return "coalesce"
    return "?column?"
