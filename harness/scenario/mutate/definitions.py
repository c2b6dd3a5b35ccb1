"""Defects in definitions: columns, keys, indexes, triggers, policies, grants, security options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pglast import ast
from pglast.enums import ConstrType, DropBehavior, ObjectType

from harness.scenario.mutate.edits import NodeEdit, NodePlace, places, without

ON_DELETE = {"c": "a", "n": "c", "a": "c", "r": "c", "d": "c"}
COMMANDS = {"select": "update", "insert": "update", "update": "delete", "delete": "select"}
BEFORE, AFTER = 2, 0
EVENTS = (4, 8, 16)  # insert, delete, update


def tables(place: NodePlace) -> Iterator[NodeEdit]:
    """A column or a constraint of a new table gone."""
    yield from without("drop-part", place.node, "tableElts")


def alterations(place: NodePlace) -> Iterator[NodeEdit]:
    """One of several changes to a table gone."""
    yield from without("drop-part", place.node, "cmds")


def columns(place: NodePlace) -> Iterator[NodeEdit]:
    """NOT NULL, a default, an identity gone."""
    for edit in without("drop-part", place.node, "constraints", least=0):
        kept = edit.value or ()
        gone = next(c for c in place.node.constraints if c not in kept)
        word = "drop-default" if gone.contype == ConstrType.CONSTR_DEFAULT else "drop-constraint"
        yield NodeEdit(word, edit.node, edit.attribute, edit.value)


def constraints(place: NodePlace) -> Iterator[NodeEdit]:
    """Another thing done when the referenced row is deleted, or its key changed."""
    node = place.node
    if node.contype == ConstrType.CONSTR_FOREIGN:
        deleted = node.fk_del_action if node.fk_del_action in ON_DELETE else "a"
        yield NodeEdit("on-delete", node, "fk_del_action", ON_DELETE[deleted])
        if node.fk_upd_action == "c":
            yield NodeEdit("on-update", node, "fk_upd_action", "a")


def enums(place: NodePlace) -> Iterator[NodeEdit]:
    """A label gone, spelt otherwise, or two in the other order."""
    node = place.node
    yield from without("enum-label", node, "vals")
    for index, label in enumerate(node.vals):
        other = ast.String(sval=f"{label.sval}x")
        yield NodeEdit(
            "enum-label", node, "vals", (*node.vals[:index], other, *node.vals[index + 1 :])
        )
    first, second, *rest = node.vals
    yield NodeEdit("enum-label", node, "vals", (second, first, *rest))


def indexes(place: NodePlace) -> Iterator[NodeEdit]:
    """Not unique; a column less."""
    if place.node.unique:
        yield NodeEdit("not-unique", place.node, "unique", False)
    yield from without("drop-part", place.node, "indexParams")


def triggers(place: NodePlace) -> Iterator[NodeEdit]:
    """One event or column less; after instead of before."""
    node = place.node
    for event in EVENTS:
        if node.events & event and node.events != event:
            yield NodeEdit("trigger-event", node, "events", node.events & ~event)
    yield from without("trigger-column", node, "columns")
    if node.timing == BEFORE:
        yield NodeEdit("trigger-timing", node, "timing", AFTER)


def policies(place: NodePlace) -> Iterator[NodeEdit]:
    """For another command, without its condition, or the other way of counting."""
    node = place.node
    yield NodeEdit("policy-command", node, "cmd_name", COMMANDS.get(node.cmd_name, "select"))
    yield NodeEdit("policy-permissive", node, "permissive", not node.permissive)
    for attribute in ("qual", "with_check"):
        if getattr(node, attribute) is not None:
            true = ast.A_Const(isnull=False, val=ast.Boolean(boolval=True))
            yield NodeEdit("drop-where", node, attribute, true)


def roles(place: NodePlace, known: Sequence[str]) -> Iterator[NodeEdit]:
    """Another role: the first of those known that is not the one named."""
    named = place.node.rolename
    other = next((role for role in known if role != named), None)
    if named and other:
        yield NodeEdit("change-role", place.node, "rolename", other)


def grants(place: NodePlace) -> Iterator[NodeEdit]:
    """One of several objects, grantees or privileges left out; one privilege instead of all."""
    node = place.node
    for attribute in ("objects", "grantees", "privileges"):
        yield from without("drop-privilege", node, attribute)
    if node.privileges is None:
        word = "execute" if isinstance(node.objects[0], ast.ObjectWithArgs) else "select"
        if word == "select":
            only = (ast.AccessPriv(priv_name=word),)
            yield NodeEdit("change-privilege", node, "privileges", only)


def dropped(place: NodePlace) -> Iterator[NodeEdit]:
    """One of several objects not dropped; what others made of tables and views dropped too."""
    yield from without("drop-part", place.node, "objects")
    relations = place.node.removeType in (ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW)
    if relations and place.node.behavior != DropBehavior.DROP_CASCADE:
        yield NodeEdit("cascade", place.node, "behavior", DropBehavior.DROP_CASCADE)


def locks(place: NodePlace) -> Iterator[NodeEdit]:
    """One of several tables not locked."""
    yield from without("drop-lock", place.node, "relations")


def views(place: NodePlace) -> Iterator[NodeEdit]:
    """The reader's rights not asked for."""
    for index, option in enumerate(place.node.options or ()):
        if option.defname == "security_invoker":
            rest = (*place.node.options[:index], *place.node.options[index + 1 :])
            yield NodeEdit("security-invoker", place.node, "options", rest or None)


def functions(place: NodePlace) -> Iterator[NodeEdit]:
    """The owner's rights for the caller's and the other way round; an open search_path."""
    node = place.node
    options = node.options or ()
    definer = False
    for index, option in enumerate(options):
        rest = (*options[:index], *options[index + 1 :])
        if option.defname == "set":
            yield NodeEdit("open-search-path", node, "options", rest)
        elif option.defname == "security":
            definer = bool(option.arg.boolval)
            if definer:
                yield NodeEdit("security-definer", node, "options", rest)
    if not definer:
        said = ast.DefElem(defname="security", arg=ast.Boolean(boolval=True))
        plain = tuple(option for option in options if option.defname != "security")
        yield NodeEdit("security-definer", node, "options", (said, *plain))


BY_NODE: dict[str, tuple[Callable[[NodePlace], Iterator[NodeEdit]], ...]] = {
    "CreateStmt": (tables,),
    "AlterTableStmt": (alterations,),
    "ColumnDef": (columns,),
    "Constraint": (constraints,),
    "CreateEnumStmt": (enums,),
    "IndexStmt": (indexes,),
    "CreateTrigStmt": (triggers,),
    "CreatePolicyStmt": (policies,),
    "GrantStmt": (grants,),
    "DropStmt": (dropped,),
    "LockStmt": (locks,),
    "ViewStmt": (views,),
    "CreateFunctionStmt": (functions,),
}


def of(place: NodePlace, known_roles: Sequence[str]) -> Iterator[NodeEdit]:
    """Every defect in the definition at a place."""
    if isinstance(place.node, ast.RoleSpec):
        yield from roles(place, known_roles)
    for make in BY_NODE.get(type(place.node).__name__, ()):
        yield from make(place)


def enums_of(trees: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    """Name and labels of every enum that statements create."""
    created: list[Any] = [tree for tree in trees if isinstance(tree, ast.CreateEnumStmt)]
    return {tree.typeName[-1].sval: tuple(label.sval for label in tree.vals) for tree in created}


def roles_of(trees: Iterable[Any]) -> tuple[str, ...]:
    """The roles that statements name, the most often named first."""
    named = Counter(
        place.node.rolename
        for root in trees
        for place in places(root)
        if isinstance(place.node, ast.RoleSpec) and place.node.rolename
    )
    return tuple(role for role, _ in named.most_common())
