"""Values of a renamed vocabulary: the constants that a column is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from harness.artifact.renames import ValuePairs
from harness.artifact.sql.edits import Edit
from harness.artifact.sql.items import Named
from harness.artifact.sql.nodes import Node, children, constant, fields_of, opened, texts
from harness.artifact.sql.scope import Scope
from harness.artifact.sql.tokens import UnreadToken, names_at, text_at

if TYPE_CHECKING:
    from harness.artifact.sql.walk import RenameWalk

EQUAL: Final = ("AEXPR_OP", "AEXPR_IN", "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT", "AEXPR_NULLIF")
SIGNS: Final = ("=", "<>", "!=")
CATALOG_NAMES: Final = ("relname", "table_name", "tablename", "viewname", "matviewname")
"""Columns of the system's views that hold a relation's name."""


class Comparisons:
    """Finds the constants for a walk, and notes their edits."""

    def __init__(self, walk: RenameWalk) -> None:
        self._walk = walk

    def expression(self, fields: Node, scope: Scope, named: Named) -> None:
        """An operator: both of its sides, and what a column of new values is compared with."""
        left, right = fields.get("lexpr") or {}, fields.get("rexpr") or {}
        self._walk.visit([left, right], scope, named)
        position = fields.get("location", 0)
        for side, other in ((left, right), (right, left)):
            values = self._values(side, scope)
            if values is not None:
                self._compared(fields, values, other, position)
            elif (inner := self._inside(side, scope)) is not None:
                self._refuse_hidden(inner, other, position)

    def case(self, fields: Node, scope: Scope, named: Named) -> None:
        """CASE column WHEN value."""
        self._walk.visit([value for value in fields.values() if value], scope, named)
        values = self._values(fields.get("arg") or {}, scope)
        for node in fields.get("args", ()) if values is not None else ():
            self._constant(values, node["CaseWhen"].get("expr"))

    def cast(self, fields: Node, scope: Scope, named: Named) -> None:
        """A cast; of a text to regclass it names a relation."""
        names = texts((fields.get("typeName") or {}).get("names"))
        found = constant(fields.get("arg"))
        if names[-1:] == ["regclass"] and found is not None:
            self._regclass(*found)
        else:
            self._walk.visit(fields.get("arg"), scope, named)

    def _values(self, node: Node, scope: Scope) -> ValuePairs | None:
        """What became of the values that an expression gives; None where they stayed."""
        if not node:
            return None
        kind, fields = opened(node)
        if kind == "ColumnRef":
            return self._walk.values_of(fields, scope) or self.names_of(fields)
        if kind in ("TypeCast", "CollateClause"):
            return self._values(fields.get("arg") or {}, scope)
        if kind == "CoalesceExpr":
            found = (self._values(one, scope) for one in fields.get("args", ()))
            return next((one for one in found if one is not None), None)
        return None

    def names_of(self, fields: Node) -> ValuePairs | None:
        """What relations' names became, for a column that holds them in the system's views."""
        if texts(fields["fields"])[-1] not in CATALOG_NAMES:
            return None
        return relation_names(self._walk)

    def _inside(self, node: Any, scope: Scope) -> ValuePairs | None:
        """The column of new values that stands in a function somewhere below."""
        for child in children(node):
            fields = fields_of(child, "ColumnRef")
            found = self._walk.values_of(fields, scope) if fields else None
            if "SubLink" in child or "SelectStmt" in child or "CaseExpr" in child:
                continue
            found = found or self._inside(child, scope)
            if found is not None:
                return found
        return None

    def _refuse_hidden(self, values: ValuePairs, other: Node, position: int) -> None:
        found = constant(other)
        if found is not None and (found[0] in values.pairs or found[0] in values.torn):
            reason = f"{found[0]!r} is compared with a function of a column of which values change"
            self._walk.doubt(position, reason)

    def _compared(self, fields: Node, values: ValuePairs, other: Node, position: int) -> None:
        kind, sign = fields.get("kind"), texts(fields.get("name"))[-1]
        if kind in EQUAL and sign in SIGNS:
            nodes = (fields_of(other, "List") or {}).get("items") or [other]
            for node in nodes:
                self._constant(values, node)
        elif kind in ("AEXPR_OP_ANY", "AEXPR_OP_ALL") and sign in SIGNS:
            self._array(values, other, position)
        elif any(constant(node) for node in (other, *children(other))):
            self._walk.doubt(
                position, f"{sign} with a text, of a column of which values change: compare by ="
            )

    def _array(self, values: ValuePairs, node: Node, position: int) -> None:
        while "TypeCast" in node:
            node = node["TypeCast"].get("arg") or {}
        elements = fields_of(node, "A_ArrayExpr")
        if elements:
            for one in elements.get("elements", ()):
                self._constant(values, one)
        elif constant(node):
            self._walk.doubt(position, "values that change stand in the text of an array")

    def _constant(self, values: ValuePairs | None, node: Node | None) -> None:
        """Note the edit of one constant, or that it cannot be decided."""
        assert values is not None, "asked of a column of which values change"
        self._variable(values, node)
        found = constant(node)
        if found is None:
            return
        value, place = found
        walk = self._walk
        try:
            token = text_at(walk.text, place, value)
        except UnreadToken as error:
            walk.doubt(place, str(error))
            return
        name = walk.masked.whole(token.start, token.end)
        if name is not None:
            walk.notes.variables[name] = values
        elif walk.masked.touches(token.start, token.end):
            walk.doubt(place, "a value is glued together with a template variable")
        elif value in values.torn or value in values.chained:
            walk.doubt(place, f"{value!r} became several values, or another value becomes it")
        elif value in values.pairs:
            put = values.pairs[value].replace("'", "''").encode()
            walk.notes.edits.add(Edit(token.start, token.end, put))
        elif values.closed and value not in values.kept:
            walk.doubt(place, f"what {value!r} became is not known; say it in the map")

    def _variable(self, values: ValuePairs, node: Node | None) -> None:
        fields = fields_of(node, "ColumnRef")
        name = self._walk.masked.variable_at(fields.get("location", 0)) if fields else None
        if name is not None:
            self._walk.notes.variables[name] = values

    def _regclass(self, value: str, place: int) -> None:
        """'name'::regclass, of a plain name, qualified or not."""
        walk = self._walk
        try:
            inner = text_at(walk.text, place, value)
            count = value.count(".") + 1
            tokens = names_at(walk.text, inner.start, count)
        except UnreadToken:
            walk.doubt(place, "a relation in a text that is not read here")
            return
        names = [_unquoted(token.spelled.decode()) for token in tokens]
        change = walk.renames.find(names[0] if count > 1 else None, names[-1])
        if change is None or not change.changes:
            return
        if change.new is None or change.rival:
            walk.doubt(place, f"what became of {change.old.name} is not one relation")
            return
        if change.new.name.name != change.old.name.name:
            walk.put(tokens[-1], change.new.name.name)


def relation_names(walk: RenameWalk) -> ValuePairs | None:
    """What the names of relations became, as values; None where nothing is called otherwise."""
    pairs = {
        one.old.name.name: one.new.name.name
        for one in walk.renames.changes.values()
        if one.new is not None and one.new.name.name != one.old.name.name
    }
    return ValuePairs(pairs, closed=False) if pairs else None


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
