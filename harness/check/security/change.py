"""What changed for a role between before and after, under the names that things live on by."""

from __future__ import annotations

from collections.abc import Iterator

from harness.check.security.catalog import Catalog, Policy, System
from harness.check.security.policy import COMMANDS, Explained, SecurityPolicy
from harness.check.security.probe import Access
from harness.check.security.rules import gained_on_system
from harness.core.finding import Finding
from harness.database.names import schema_of

ORDER = {"denied": 0, "impossible": 0, "none": 1, "empty": 1, "some": 2, "allowed": 3, "all": 3}
REACHED = ("all", "some", "allowed", "empty")
EXPLAIN = "undo it, or explain it with an [[explained]] entry in checks/security.toml"


class Changes:
    """Compares what was found before with what was found after; remembers which are explained."""

    def __init__(self, policy: SecurityPolicy) -> None:
        self.policy = policy
        self.used: dict[Explained, list[str]] = {}

    def relations(self, before: Access, after: Access) -> Iterator[Finding]:
        """Commands that a role gained or lost on what was there before."""
        for old, cells in before.relations.items():
            for new in self.policy.successors(old):
                if new not in after.relations:
                    yield Finding(
                        "security.relation.missing",
                        "critical",
                        new,
                        f"{old} was there before and lives on as {new}, which is not there",
                        "make it, or say in checks/security.toml what carries it on",
                    )
                    continue
                for role, words in cells.items():
                    for command in COMMANDS:
                        now = after.relations[new][role][command]
                        yield from self._cell(new, role, command, words[command], now)

    def _cell(
        self, name: str, role: str, command: str, before: str, after: str
    ) -> Iterator[Finding]:
        if before == after or "unknown" in (before, after):
            return
        explained = next(
            (e for e in self.policy.explained if e.covers(name, role, command, before, after)), None
        )
        if explained is not None:
            self.used.setdefault(explained, []).append(name)
            return
        if {before, after} <= {"all", "empty"} or {before, after} <= {"allowed", "empty"}:
            return  # rows came or went: whether one is let through is said by the other
        gained = ORDER[after] > ORDER[before]
        yield Finding(
            "security.gained" if gained else "security.lost",
            "critical",
            name,
            f"{role} {command} {name}: {after}, before {before}",
            EXPLAIN,
        )

    def unused(self) -> Iterator[Finding]:
        """Explanations of differences that are not there."""
        for entry in self.policy.explained:
            if entry not in self.used:
                yield Finding(
                    "security.explanation.unused",
                    "info",
                    entry.where,
                    f"{entry.role} {entry.command} {entry.relation} did not change from"
                    f" {entry.before} to {entry.after}",
                    "take the entry away",
                )

    def functions(self, before: Access, after: Access, catalog: Catalog) -> Iterator[Finding]:
        """Functions that a role may call and could not, or could and may not any more."""
        for name, cells in after.functions.items():
            old = before.functions.get(name)
            for role, word in cells.items():
                if old is None and word == "allowed" and not self.policy.reach.get(role):
                    yield Finding(
                        "security.function.gained",
                        "critical",
                        name,
                        f"{role} may execute the new function {name}",
                        f"revoke all on function {name} from public, {role}",
                    )
                elif old is not None and "unknown" not in (old[role], word) and old[role] != word:
                    verb = "gained" if word == "allowed" else "lost"
                    yield Finding(
                        f"security.function.{verb}",
                        "critical",
                        name,
                        f"{role} execute {name}: {word}, before {old[role]}",
                        EXPLAIN,
                    )
        for name in before.functions.keys() - after.functions.keys():
            yield Finding(
                "security.function.missing",
                "critical",
                name,
                f"function {name} was there before and is not there now",
                EXPLAIN,
            )
        yield from self._without_path(before, catalog)

    def _without_path(self, before: Access, catalog: Catalog) -> Iterator[Finding]:
        for function in catalog.functions.values():
            new = function.name not in before.functions
            if new and function.path is None and not function.definer:
                yield Finding(
                    "security.function.no_search_path",
                    "warning",
                    function.name,
                    f"the new function {function.name} has no search_path of its own",
                    "alter function … set search_path = ''",
                )

    def privileges(self, before: Catalog, after: Catalog) -> Iterator[Finding]:
        """Privileges gained or lost, those that no command of the matrix shows included."""
        carried = set()
        for old in before.privileges.keys() | before.relations.keys():
            for new in self.policy.successors(old):
                carried.add(new)
                if new not in after.privileges and new not in after.relations:
                    continue  # what is missing has been said
                had = before.privileges.get(old, frozenset())
                has = after.privileges.get(new, frozenset())
                for text in sorted(has - had):
                    yield self._privilege("gained", new, text)
                for text in sorted(had - has):
                    yield self._privilege("lost", new, text)
        for name in after.privileges.keys() - carried:
            yield from self._new(name, after)

    def _new(self, name: str, after: Catalog) -> Iterator[Finding]:
        """Something new: nothing for a role that reaches nothing, nothing outside the API."""
        for text in sorted(after.privileges[name]):
            role = text.rsplit(" ", 1)[0]
            if not self.policy.shows(schema_of(name)) or not self.policy.reach.get(role):
                yield self._privilege("gained", name, text)

    def _privilege(self, verb: str, name: str, text: str) -> Finding:
        role, privilege = text.rsplit(" ", 1)
        undo = (
            f"revoke {privilege.lower()} on {name} from {role}"
            if verb == "gained"
            else f"grant {privilege.lower()} on {name} to {role}"
        )
        return Finding(
            f"security.privilege.{verb}",
            "critical",
            name,
            f"{role} has {verb} {privilege} on {name}",
            undo,
        )

    def policies(self, before: Catalog, after: Catalog) -> Iterator[Finding]:
        """Policies of carried tables say the same; those of new ones let no stranger in."""
        carried = set()
        for old in before.relations:
            for new in self.policy.successors(old):
                carried.add(new)
                relation = after.relations.get(new)
                if relation is not None and not relation.is_view:  # a view has no policy
                    had, has = before.policies.get(old, []), after.policies.get(new, [])
                    for entry in _without(had, has):
                        yield _policy("lost", new, entry, f"of {old} is lost on {new}")
                    for entry in _without(has, had):
                        yield _policy("gained", new, entry, f"of {new} was not there before")
        strangers = {"public", *(r for r in self.policy.roles if not self.policy.reach.get(r))}
        for name in after.policies.keys() - carried:
            for entry in after.policies[name]:
                for role in sorted(strangers & set(entry.roles)):
                    yield _policy("gained", name, entry, f"of the new table {name} is for {role}")

    def owners(self, before: Catalog, after: Catalog) -> Iterator[Finding]:
        """An owner is subject to no policy: whose something was, theirs it is."""
        for old, relation in before.relations.items():
            for new in self.policy.successors(old):
                found = after.relations.get(new)
                if found is not None and found.owner != relation.owner:
                    yield Finding(
                        "security.owner",
                        "critical",
                        new,
                        f"{new} belongs to {found.owner}, before to {relation.owner}",
                        f"alter table {new} owner to {relation.owner}",
                    )

    def system(self, before: Catalog, after: Catalog) -> Iterator[Finding]:
        """Rights that the server or an extension gave: what was taken, and what is back.

        What was given besides breaks a rule, and is told as such.
        """
        none = System(frozenset(), frozenset())
        for name in sorted(before.system.keys() | after.system.keys()):
            had, has = before.system.get(name, none), after.system.get(name, none)
            for text in sorted((has.lost - had.lost) | (had.gained - has.gained)):
                role, _, privilege = text.partition(": ")
                yield Finding(
                    "security.system.lost",
                    "critical",
                    name,
                    f"{role} has lost {privilege} on {name}",
                    f"grant {privilege.lower()} on it to {role}",
                )
            for text in sorted(had.lost - has.lost):
                yield gained_on_system(name, text)


def _policy(verb: str, relation: str, entry: Policy, what: str) -> Finding:
    undo = (
        f"create it on {relation}: {entry.text}"
        if verb == "lost"
        else f'drop policy "{entry.name}" on {relation}'
    )
    message = f"policy {entry.name!r} {what}"
    return Finding(f"security.policy.{verb}", "critical", relation, message, undo, entry.text)


def _without(these: list[Policy], those: list[Policy]) -> Iterator[Policy]:
    """The policies of one list that say what none of the other says, each counted."""
    rest = [entry.text for entry in those]
    for entry in these:
        if entry.text in rest:
            rest.remove(entry.text)
        else:
            yield entry
