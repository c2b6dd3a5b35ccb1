"""Whether a plan's effect is proven to stay in its database, and where that ends.

A rehearsal on the server of the named database would really do whatever reaches beyond it. What
cannot be read from the text (a function in C, a statement that is put together) is not proven.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from pglast import ast, parse_sql
from pglast.enums import ObjectType
from pglast.parser import ParseError

from harness.plan import Plan, Script, Statement
from harness.plan.check import tree
from harness.scenario.dry_run import bodies, known
from harness.scenario.dry_run.dynamic import TEXT, template
from harness.scenario.dry_run.facts import CatalogFacts, Routine
from harness.scenario.dry_run.links import is_unlimited_import, links_of
from harness.scenario.dry_run.shared import shared_of, targets

_ROWS: Final = re.compile(
    r"\s*(update\s+(only\s+)?[\w.\"]+\s+((as\s+)?\w+\s+)?set|insert\s+into\s+[\w.\"]+"
    r"|delete\s+from\s+[\w.\"]+)\b",
    re.IGNORECASE,
)
_CATALOG_ONLY: Final = (
    ast.AlterTableStmt, ast.ClusterStmt, ast.CreateTrigStmt, ast.LockStmt, ast.ReindexStmt,
    ast.VacuumStmt,
)  # fmt: skip
"""What names a relation without changing a row of it: a foreign table's server hears nothing."""
_CALLED: Final = re.compile(r"([\w.\"]+)\s*\(")
_ON: Final = re.compile(
    r"\bon\s+(table|all|function|procedure|routine|schema|sequence|type|domain|language|foreign"
    r"|large)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reach:
    """Something that is not proven to stay in the database.

    `outward`: it would reach other servers or files from a server of our own just as well.
    """

    why: str
    outward: bool = False
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where} {self.why}" if self.where else self.why


def reaches(plan: Plan, facts: CatalogFacts) -> Reach | None:
    """What of a plan reaches furthest beyond its database; None when all of it stays there."""
    scripts = [script for step in plan.steps for script in (step.forward, step.rollback)]
    statements = [one for script in scripts for one in script.statements]
    sight = _Sight(facts, statements, frozenset(plan.dry_run.local))
    found = [one for script in scripts for one in _of(script, sight)]
    if sight.learned():  # of foreign tables that a later statement makes
        found = [one for script in scripts for one in _of(script, sight)]
    found += sight.implicit()
    return next((one for one in found if one.outward), found[0] if found else None)


def outward_reach(node: Any, text: str, facts: CatalogFacts) -> str | None:
    """Why one statement reaches other servers or files from any copy; None where none is seen."""
    found = _Sight(facts, []).statement(node, text)
    return next((one.why for one in found if one.outward), None)


def _of(script: Script, sight: _Sight) -> Iterator[Reach]:
    for statement in script.statements:
        node = tree(statement, batch=script.kind == "batch")
        for one in sight.statement(node, statement.text):
            yield Reach(one.why, one.outward, script.at(statement.line))


class _Sight:
    """Looks at statements with what is known of the functions that they may call."""

    def __init__(
        self,
        facts: CatalogFacts,
        statements: list[Statement],
        declared: frozenset[str] = frozenset(),
    ) -> None:
        self._facts, self._declared = facts, declared
        self._text = "\n".join(one.text for one in statements)
        self._routines: dict[str, list[Routine]] = {}
        for routine in (*facts.routines, *_made(statements)):
            self._routines.setdefault(routine.name, []).append(routine)
        self._seen: dict[Routine, list[Reach]] = {}
        self._joined = False

    def statement(self, node: Any, text: str) -> Iterator[Reach]:
        """What one statement reaches; `text` is it, for a block."""
        shared = shared_of(node)
        name = type(node).__name__
        if isinstance(node, known.CONNECTING):
            yield Reach("is about a subscription, which connects to another server", outward=True)
        elif shared is not None:
            yield Reach("changes what all databases of the server share")
        elif name not in known.LOCAL_STATEMENTS:
            yield Reach(f"is a {name}, of which nothing proves that it stays in the database")
        yield from self._special(node, text)
        for one in _nodes(node):
            self._link(one)
            yield from self._node(one)

    def learned(self) -> bool:
        """Whether the statements join relations to foreign tables; they are then looked at anew."""
        self._seen = {}
        return self._joined and bool(self._facts.foreign)

    def _link(self, node: Any) -> None:
        found = links_of(node)
        if found.foreign or found.ways:
            self._joined = True
            self._facts = replace(
                self._facts,
                foreign=self._facts.foreign | found.foreign,
                ways=(*self._facts.ways, *found.ways),
            )

    def implicit(self) -> Iterator[Reach]:
        """What runs without being called: triggers, defaults, policies … of relations in reach."""
        bodies_too = "\n".join([self._text, *(one.text for one in self._facts.routines)])
        for one in self._facts.implicit:
            names = self._facts.reached_by(one.relation) if one.relation else set()
            if one.relation and not any(_mentions(bodies_too, name) for name in names):
                continue
            for reach in self._called((one.schema, one.name)):
                yield Reach(f"{one.what} {reach.why}", reach.outward)

    def _special(self, node: Any, text: str) -> Iterator[Reach]:
        if isinstance(node, ast.CopyStmt) and (node.is_program or node.filename):
            what = "runs a program of" if node.is_program else "reads or writes a file of"
            yield Reach(f"{what} the server", outward=True)
        elif is_unlimited_import(node):
            yield Reach("makes foreign tables without naming them", outward=True)
        elif isinstance(node, ast.DoStmt):
            yield from self._body(node, text, "the block")
        elif isinstance(node, ast.CreateExtensionStmt | ast.AlterExtensionStmt):
            if node.extname not in known.EXTENSIONS | known.OUTWARD:
                yield Reach(f"runs the script of extension {node.extname}, which is not known")
        elif isinstance(node, ast.CreateFunctionStmt) and bodies.language(node) == "c":
            yield Reach("loads a library into the server")

    def _node(self, node: Any) -> Iterator[Reach]:
        for name in targets(node):
            if name in self._facts.shared:
                yield Reach(f"writes or locks {name}, which all databases of the server share")
            foreign = (one for one in self._facts.foreign if name in self._facts.reached_by(one))
            if (one := next(foreign, None)) is not None and not isinstance(node, _CATALOG_ONLY):
                yield Reach(f"writes to foreign table {one}", outward=True)
        for called in known.calls(node):
            yield from self._called(called)

    def _called(self, names: tuple[str, ...]) -> Iterator[Reach]:
        *schema, name = names
        routines = self._routines.get(name, []) if schema != ["pg_catalog"] else []
        if schema:
            routines = [one for one in routines if one.schema in (schema[-1], "")]
        builtin = self._facts.builtin.get(name) if schema in ([], ["pg_catalog"]) else None
        if builtin and name not in known.LOCAL_VOLATILE:
            yield Reach(f"calls {name}", outward=name in known.OUTWARD_FUNCTIONS)
        if builtin is None and not routines:
            yield Reach(f"calls {'.'.join(names)}, which is not known")
        for routine in routines:
            yield from self._routine(routine)

    def _routine(self, routine: Routine) -> list[Reach]:
        if routine not in self._seen:
            self._seen[routine] = []  # while it is looked at: what calls itself adds nothing
            found = {one.why: one for one in self._looked(routine)}
            if f"{routine.schema}.{routine.name}" in self._declared:
                found = {why: one for why, one in found.items() if one.outward}
            self._seen[routine] = [
                Reach(f"calls {routine.name}, which {one.why}", one.outward)
                for one in list(found.values())[:3]
            ]
        return self._seen[routine]

    def _looked(self, routine: Routine) -> Iterator[Reach]:
        if routine.extension is not None:
            if routine.extension in known.OUTWARD:
                yield Reach(f"is extension {routine.extension}'s", outward=True)
            elif routine.extension not in known.EXTENSIONS:
                yield Reach(f"is extension {routine.extension}'s, which is not known")
        elif routine.language == "internal":
            for name in routine.text.split():
                yield from self._called(tuple(name.replace('"', "").split(".")))
        elif routine.language in ("sql", "plpgsql"):
            try:
                (raw,) = parse_sql(routine.text)
            except (ParseError, ValueError):
                yield Reach("has a body that cannot be read")
                return
            yield from self._body(raw.stmt, routine.text, "it")
        else:
            yield Reach(f"is written in {routine.language}", outward=False)

    def _body(self, node: Any, text: str, what: str) -> Iterator[Reach]:
        try:
            for part in bodies.parts(node, text):
                if part.made_by is not None:
                    yield from self._made(part.made_by)
                else:
                    yield from self._within(part.node)
        except bodies.OpaqueError as reason:
            yield Reach(f"is code {reason}" if what == "it" else f"is a block {reason}")

    def _within(self, node: Any) -> Iterator[Reach]:
        for one in node if isinstance(node, tuple) else (node,):
            if isinstance(one, tuple):
                yield from self._within(one)
            else:
                yield from self.statement(one, "")

    def _made(self, expression: str) -> Iterator[Reach]:
        """A statement that is put together: by what of it is known."""
        text = template(expression)
        try:
            trees = [raw.stmt for raw in parse_sql(text)]
        except ParseError:
            yield from self._rows(text)
            return
        for node in trees:
            if TEXT in text and _open(node, text):
                yield Reach("runs a statement that is put together at run time")
            yield from self.statement(node, text)

    def _rows(self, text: str) -> Iterator[Reach]:
        """Columns and values are put in: it changes rows whatever they are."""
        if not _ROWS.match(text):
            yield Reach("runs a statement that is put together at run time")
        for match in _CALLED.finditer(text):
            name = match[1].replace('"', "").rpartition(".")[2].lower()
            if name in self._facts.builtin or name in self._routines:
                yield from self._called((name,))


def _made(statements: list[Statement]) -> Iterator[Routine]:
    """The functions that the plan makes itself."""
    for statement in statements:
        if statement.tag == "CreateFunctionStmt":
            node = tree(statement)
            *schema, name = (one.sval for one in node.funcname)
            yield Routine(schema[0] if schema else "", name, bodies.language(node), None,
                          statement.text)  # fmt: skip
        elif statement.tag == "DefineStmt":
            node = tree(statement)
            if node.kind == ObjectType.OBJECT_AGGREGATE:
                *schema, name = (one.sval for one in node.defnames)
                made_of = " ".join(".".join(one) for one in known.calls(node))
                yield Routine(schema[0] if schema else "", name, "internal", None, made_of)


def _open(node: Any, text: str) -> bool:
    """Whether what is put in may make another statement of it than the one that was read."""
    if isinstance(node, ast.GrantStmt):
        return not _ON.search(text)
    return isinstance(node, ast.SelectStmt | ast.CallStmt | ast.DoStmt)


def _nodes(node: Any) -> Iterator[Any]:
    """A node and all below it; the body of a function is none of what happens when it is made."""
    if isinstance(node, tuple):
        for one in node:
            yield from _nodes(one)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            if not (isinstance(node, ast.CreateFunctionStmt) and name in ("sql_body", "options")):
                yield from _nodes(getattr(node, name))


def _mentions(text: str, name: str) -> bool:
    return name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
