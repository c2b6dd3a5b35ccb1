"""The entries of FROM and WITH: what each gives to the names of the query around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.artifact.renames import RelationChange
from harness.artifact.schema import SeenRelation
from harness.artifact.sql.nodes import Node, opened, texts
from harness.artifact.sql.scope import Item, Output, Scope, Unclear
from harness.artifact.sql.tokens import UnreadToken, names_at

if TYPE_CHECKING:
    from harness.artifact.sql.walk import RenameWalk

Named: TypeAlias = Mapping[str, list[Output] | None]
"""The common table expressions that a query sees, and their columns."""


class Entries:
    """Reads entries for a walk, and notes the edits of the relations' names."""

    def __init__(self, walk: RenameWalk) -> None:
        self._walk = walk

    def common(self, clause: Node | None, outer: Scope | None, named: Named) -> Named:
        """The expressions of a WITH clause, beside those that were seen already."""
        seen = dict(named)
        for node in (clause or {}).get("ctes", ()):
            fields = node["CommonTableExpr"]
            name = fields["ctename"]
            kind, query = opened(fields["ctequery"])
            recursive = name if clause and clause.get("recursive") else None
            if kind != "SelectStmt":
                self._walk.doubt(fields.get("location", 0), "a WITH clause that writes")
                seen[name] = None
                continue
            if recursive:
                seen[name] = None
            outputs = self._walk.query(query, outer, seen, recursive)
            seen[name] = _called(outputs, texts(fields.get("aliascolnames")))
        return seen

    def add(self, node: Node, scope: Scope, named: Named) -> list[Item]:
        """Put an entry into the scope; the items that it gives."""
        kind, fields = opened(node)
        if kind == "JoinExpr":
            return self._join(fields, scope, named)
        if kind == "RangeVar":
            made = self._relation(fields, named)
        elif kind == "RangeSubselect":
            made = self._subquery(fields, scope, named)
        else:
            self._walk.visit(fields, scope, named)
            made = Item(_alias(fields) or _function(fields), None)
        made.renamed = made.renamed or made.alias
        self._refuse_collision(made, scope)
        scope.items.append(made)
        return [made]

    @staticmethod
    def of_query(alias: str | None, outputs: list[Output] | None) -> Item:
        """The entry that a query's result is."""
        if outputs is None:
            return Item(alias, None)
        columns = {output.old: output for output in outputs}
        return Item(alias, columns, visible=frozenset(output.new for output in outputs))

    def _join(self, fields: Node, scope: Scope, named: Named) -> list[Item]:
        left = self.add(fields["larg"], scope, named)
        right = self.add(fields["rarg"], scope, named)
        for name in texts(fields.get("usingClause")):
            self._merge(str(name), scope, left, right)
        if fields.get("isNatural"):
            self._natural(scope, left, right)
        self._walk.visit(fields.get("quals"), scope, named)
        if "alias" in fields and any(item.change and item.change.changes for item in left + right):
            self._walk.doubt(0, f"the join has an alias, {fields['alias']['aliasname']!r}")
        return left + right

    def _merge(self, name: str, scope: Scope, left: list[Item], right: list[Item]) -> None:
        scope.merged.add(name)
        for item in left + right:
            output = (item.columns or {}).get(name)
            if output is not None and (output.old != output.new or output.contested):
                place = self._walk.text.find(b"USING")
                self._walk.doubt(
                    max(place, 0), f"USING ({name}) joins a column that is renamed; join it by ON"
                )

    def _natural(self, scope: Scope, left: list[Item], right: list[Item]) -> None:
        """What a NATURAL JOIN joins is every common name, also of new columns."""
        if not any(item.change and item.change.changes for item in left + right):
            return
        before = _common(left, right, lambda item: frozenset(item.columns or ()))
        after = _common(left, right, lambda item: item.visible)
        scope.merged |= before
        if before != after:
            self._walk.doubt(0, "a NATURAL JOIN would join by other columns; join by ON")

    def _relation(self, fields: Node, named: Named) -> Item:
        walk = self._walk
        schema, name = fields.get("schemaname"), fields["relname"]
        position = fields.get("location", 0)
        alias = _alias(fields)
        if walk.masked.touches(position, position + 1):
            walk.doubt(position, "which relation it is comes from a template variable")
            return Item(alias or name, None)
        if schema is None and name in named:
            return self.of_query(alias or name, _called(named[name], _columns(fields)))
        found = walk.renames.before.find(schema, name)
        change = walk.renames.changes.get(found.name) if found else None
        if change is None:
            return Item(alias or name, None, schema)
        try:
            return self._changed(change, fields, named)
        except (Unclear, UnreadToken) as error:
            walk.doubt(position, str(error))
            return Item(alias or name, None, schema)

    def _changed(self, change: RelationChange, fields: Node, named: Named) -> Item:
        old, new = change.old, change.new
        if new is None:
            raise Unclear(f"the relation {old.name} is gone")
        if change.rival is not None:
            raise Unclear(
                f"{old.name} is {new.name} by its identity and {change.rival} by its name;"
                " say in the map which is meant"
            )
        self._rename(change, fields, named)
        given = _columns(fields)
        columns = {one.old: one for one in outputs_of(change)}
        if given:
            if [change.columns.get(name) for name in old.columns] != list(
                new.columns[: len(old.columns)]
            ):
                raise Unclear(f"columns of {old.name} are named by their place, which changed")
            columns = {one.old: one for one in _called(list(columns.values()), given) or ()}
        alias = _alias(fields)
        return Item(
            alias or old.name.name,
            columns,
            old.name.schema,
            alias or new.name.name,
            frozenset(new.columns),
            change,
        )

    def _rename(self, change: RelationChange, fields: Node, named: Named) -> None:
        assert change.new is not None, "what is gone is not renamed"
        old, new = change.old.name, change.new.name
        if old == new:
            return
        schema = fields.get("schemaname")
        count = 2 if schema is not None else 1
        tokens = names_at(self._walk.text, fields.get("location", 0), count)
        if old.schema != new.schema and schema is None:
            raise Unclear(f"{old} is {new} afterwards; name it with its schema")
        if schema is None and new.name in named:
            raise Unclear(f"{new.name!r} is the name of a WITH query here, and of {old} afterwards")
        if schema is None and not self._is_seen(new.name, change.new):
            raise Unclear(f"{new} is hidden by another relation of that name")
        self._walk.put(tokens[-1], new.name)
        if schema is not None and old.schema != new.schema:
            self._walk.put(tokens[0], new.schema)

    def _is_seen(self, name: str, relation: SeenRelation) -> bool:
        found = self._walk.renames.after.find(None, name)
        return found is not None and found.name == relation.name

    def _subquery(self, fields: Node, scope: Scope, named: Named) -> Item:
        _, query = opened(fields["subquery"])
        around = scope if fields.get("lateral") else scope.outer
        outputs = self._walk.query(query, around, named)
        return self.of_query(_alias(fields), _called(outputs, _columns(fields)))

    def _refuse_collision(self, made: Item, scope: Scope) -> None:
        """Two entries of one name after, where there were two names before."""
        for other in scope.items:
            same = made.renamed is not None and made.renamed == other.renamed
            if same and made.alias != other.alias:
                self._walk.doubt(0, f"{made.renamed!r} would name two entries of FROM")


def outputs_of(change: RelationChange) -> list[Output]:
    """The columns of a relation: each with its new name, and what became of its values."""
    return [
        Output(
            name,
            change.columns.get(name, name),
            change.values.get(name),
            change.contested.get(name),
            gone=name not in change.columns and name not in change.contested,
        )
        for name in change.old.columns
    ]


def _called(outputs: list[Output] | None, names: list[str | None]) -> list[Output] | None:
    """The columns under the names that an alias gives them, which stay."""
    if outputs is None:
        return None if not names else [Output(str(name), str(name)) for name in names]
    called = [
        Output(str(name), str(name), output.values)
        for name, output in zip(names, outputs, strict=False)
    ]
    return called + outputs[len(called) :]


def _alias(fields: Node) -> str | None:
    alias = fields.get("alias")
    return alias["aliasname"] if alias else None


def _columns(fields: Node) -> list[str | None]:
    return texts((fields.get("alias") or {}).get("colnames"))


def _function(fields: Node) -> str | None:
    """The name of a function in FROM, which qualifies its columns."""
    try:
        call = fields["functions"][0]["List"]["items"][0]["FuncCall"]
    except (KeyError, IndexError, TypeError):
        return None
    return texts(call["funcname"])[-1]


def _common(left: list[Item], right: list[Item], names: Any) -> set[str]:
    first: set[str] = set().union(*(names(item) for item in left))
    return first & set().union(*(names(item) for item in right))
