"""What no database may have, whatever it was before: the ways around row level security."""

from __future__ import annotations

from collections.abc import Iterator

from harness.check.security.catalog import Catalog, Function
from harness.check.security.policy import COMMANDS, SecurityPolicy
from harness.check.security.probe import Access
from harness.core.finding import Finding

REACHED = ("all", "some", "allowed")


def broken(policy: SecurityPolicy, catalog: Catalog, access: Access) -> Iterator[Finding]:
    """Every rule that the database breaks."""
    yield from _views(policy, catalog)
    yield from _tables(policy, catalog)
    yield from _functions(catalog)
    yield from _reach(policy, catalog, access)
    yield from _system(catalog)


def _views(policy: SecurityPolicy, catalog: Catalog) -> Iterator[Finding]:
    for view in catalog.relations.values():
        shown = policy.shows(view.schema) and view.name not in policy.owner_rights
        if view.is_view and shown and not view.invoker:
            yield Finding(
                "security.view.owner_rights",
                "critical",
                view.name,
                f"view {view.name} runs with its owner's rights: row level security sees no reader",
                f"alter view {view.name} set (security_invoker = on)",
            )


def _tables(policy: SecurityPolicy, catalog: Catalog) -> Iterator[Finding]:
    for table in catalog.relations.values():
        shown = policy.shows(table.schema) and table.kind in ("r", "p")
        if shown and not table.row_security:
            yield Finding(
                "security.table.no_row_security",
                "critical",
                table.name,
                f"table {table.name} has no row level security",
                f"alter table {table.name} enable row level security, and give it policies",
            )


def _functions(catalog: Catalog) -> Iterator[Finding]:
    for function in catalog.functions.values():
        if function.definer and (why := _open_path(catalog, function)):
            yield Finding(
                "security.function.open_search_path",
                "critical",
                function.name,
                f"function {function.name} runs with its owner's rights and {why}",
                "alter function … set search_path = '', and name everything with its schema",
            )


def _open_path(catalog: Catalog, function: Function) -> str | None:
    """Why a caller can choose what the function's names mean; None when they cannot."""
    if function.path is None:
        return "has no search_path of its own"
    named = [part.strip().strip('"') for part in function.path.split(",")]
    if "$user" in named:
        return 'searches "$user"'
    places = [name for name in named if name in catalog.creatable]
    if places:
        return f"searches {places[0]}, where a role may create objects"
    if "pg_temp" in named and named[-1] != "pg_temp":
        return "searches pg_temp before other schemas"
    # without pg_temp in the path the server searches it first, for relations and types
    if named != [""] and "pg_temp" not in named:
        return "searches pg_temp first, since its search_path does not say pg_temp"
    return None


def _reach(policy: SecurityPolicy, catalog: Catalog, access: Access) -> Iterator[Finding]:
    """A role reaches more, or less, of what the API shows than the policy says."""
    for name, cells in access.relations.items():
        relation = catalog.relations.get(name)
        if relation is None or not policy.shows(relation.schema):
            continue
        for role, words in cells.items():
            expected = policy.reaches(name, role)
            for command in COMMANDS:
                word, said = words[command], f"{role} {command} {name}: {words[command]}"
                if word in REACHED and command not in expected:
                    hint = "take the privilege away, or let no policy show the rows"
                    yield Finding(
                        "security.reach.more",
                        "critical",
                        name,
                        f"{role} may {command} {name}, and must not",
                        hint,
                        said,
                    )
                if word in ("none", "denied") and command in expected:
                    yield Finding(
                        "security.reach.less",
                        "critical",
                        name,
                        f"{role} is locked out: {command} on {name} is {_refused(word)}",
                        "give the privilege and a policy that lets the rows through",
                        said,
                    )


def _refused(word: str) -> str:
    return "denied" if word == "denied" else "let through, but reaches no row"


def _system(catalog: Catalog) -> Iterator[Finding]:
    for name, rights in catalog.system.items():
        for text in sorted(rights.gained):
            yield gained_on_system(name, text)


def gained_on_system(name: str, text: str) -> Finding:
    """A right, told as `role: PRIVILEGE`, on an object of the server or of an extension."""
    role, _, privilege = text.partition(": ")
    return Finding(
        "security.system.gained",
        "critical",
        name,
        f"{role} has {privilege.rstrip('*')} on {name}, which the server did not give",
        f"revoke {privilege.rstrip('*').lower()} on it from {role}; where it was so before, "
        "compare with a source: verify --source",
    )
