"""What the roles of the API may do, as a file says it: `checks/security.toml` beside the plan."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NoReturn

from harness.core.errors import UsageError
from harness.database.catalog import OUR_SCHEMAS

COMMANDS: Final = ("select", "insert", "update", "delete")
WORDS: Final = ("all", "some", "none", "empty", "allowed", "denied", "impossible", "unknown")
KEYS: Final = {
    "format": int,
    "roles": list,
    "schemas": list,
    "owner_rights": list,
    "claims": dict,
    "reach": dict,
    "except": list,
    "carried": dict,
    "until_cleanup": list,
    "explained": list,
    "specimens": dict,
}


@dataclass(frozen=True)
class Explained:
    """A difference between before and after that is meant, and why."""

    relation: str
    role: str
    command: str
    before: str
    after: str
    because: str
    where: str

    def covers(self, relation: str, role: str, command: str, before: str, after: str) -> bool:
        """Whether this is the difference that was found."""
        found = (relation, role, command, before, after)
        return found == (self.relation, self.role, self.command, self.before, self.after)


@dataclass(frozen=True)
class SecurityPolicy:
    """Who reaches what, what is carried over under which names, and which differences are meant."""

    roles: tuple[str, ...]
    schemas: tuple[str, ...]
    owner_rights: tuple[str, ...]
    claims: dict[str, str]
    reach: dict[str, frozenset[str]]
    exceptions: dict[tuple[str, str], frozenset[str]]
    carried: dict[str, tuple[str, ...]]
    explained: tuple[Explained, ...]
    specimens: dict[str, str]
    until_cleanup: tuple[str, ...] = ()

    def cleaned_up(self) -> SecurityPolicy:
        """The policy of a database in which the clean-up dropped what it says it drops."""
        gone = frozenset(self.until_cleanup)
        left = {
            old: tuple(name for name in self.successors(old) if name not in gone)
            for old in {*self.carried, *gone}
        }
        kept = tuple(entry for entry in self.explained if entry.relation not in gone)
        return replace(self, carried=left, explained=kept)

    def speaks_of(self, relation: str) -> bool:
        """Whether a difference of the relation is meant: then it must not be as before."""
        return any(entry.relation == relation for entry in self.explained)

    def reaches(self, relation: str, role: str) -> frozenset[str]:
        """The commands with which a role may reach rows of a relation that the API shows."""
        return self.exceptions.get((relation, role), self.reach.get(role, frozenset()))

    def shows(self, schema: str) -> bool:
        """Whether the API shows a schema: one that the file lists or, if it lists none, any."""
        if self.schemas:
            return schema in self.schemas
        return schema not in OUR_SCHEMAS

    def successors(self, name: str) -> tuple[str, ...]:
        """Under which names something of the old schema lives on."""
        return self.carried.get(name, (name,))

    def predecessor(self, name: str) -> str | None:
        """The old name of something that lives on under another one as well."""
        return next((old for old, new in self.carried.items() if name in new), None)


def load(path: Path) -> SecurityPolicy:
    """Read the file; UsageError names file, line and reason when it cannot be."""
    return _PolicyReader(path).policy()


class _PolicyReader:
    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text("utf-8")
            self.document: dict[str, Any] = tomllib.loads(text)
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
        except UnicodeDecodeError:
            raise UsageError("is not valid UTF-8", where=str(path)) from None
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            where = f"{path}:{line[1] if line else text.count(chr(10)) + 1}"
            raise UsageError(f"is not valid TOML: {error}", where=where) from None
        self.lines = text.splitlines()

    def policy(self) -> SecurityPolicy:
        found = self.document
        for key, value in found.items():
            if key not in KEYS:
                self.refuse(f"unknown key {key!r}", key, f"known are {', '.join(sorted(KEYS))}")
            if not isinstance(value, KEYS[key]):
                self.refuse(f"{key} is not a {KEYS[key].__name__}", key)
        if found.get("format") != 1:
            self.refuse(f"format is {found.get('format')!r}; this harness reads format 1", "format")
        roles = self.texts("roles")
        if not roles:
            self.refuse("roles names no role", "roles")
        return SecurityPolicy(
            roles=roles,
            schemas=self.texts("schemas"),
            owner_rights=self.texts("owner_rights"),
            claims={key: str(value) for key, value in found.get("claims", {}).items()},
            reach={
                self.role(role): self.commands(names, f"{role} =")
                for role, names in found.get("reach", {}).items()
            },
            exceptions={
                (entry["relation"], self.role(entry["role"])): self.commands(
                    entry["reach"], entry["relation"]
                )
                for entry in self.entries("except", ("relation", "role", "reach", "because"))
            },
            carried={
                old: tuple(new) if isinstance(new, list) else (str(new),)
                for old, new in found.get("carried", {}).items()
            },
            explained=tuple(self.explained()),
            specimens={key: str(value) for key, value in found.get("specimens", {}).items()},
            until_cleanup=self.texts("until_cleanup"),
        )

    def explained(self) -> list[Explained]:
        keys = ("relation", "role", "command", "before", "after", "because")
        entries = self.entries("explained", keys)
        for entry in entries:
            for key in ("before", "after"):
                if entry[key] not in WORDS:
                    known = ", ".join(WORDS)
                    self.refuse(f"{key} is {entry[key]!r}", entry["relation"], f"words: {known}")
        return [
            Explained(**entry, where=self.where(entry["relation"], "explained"))
            for entry in entries
        ]

    def entries(self, name: str, keys: tuple[str, ...]) -> list[dict[str, Any]]:
        found = self.document.get(name, [])
        for entry in found:
            if not isinstance(entry, dict) or set(entry) != set(keys):
                self.refuse(f"an entry of [[{name}]] needs {', '.join(keys)}", name)
        return list(found)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.document.get(key, [])
        if not all(isinstance(item, str) for item in value):
            self.refuse(f"{key} is a list of names", key)
        return tuple(value)

    def role(self, name: str) -> str:
        if name not in self.document.get("roles", []):
            self.refuse(f"role {name!r} is not among the roles", name)
        return name

    def commands(self, names: Any, near: str) -> frozenset[str]:
        if not isinstance(names, list) or not set(names) <= set(COMMANDS):
            self.refuse(f"{names!r} is not a list of commands", near, ", ".join(COMMANDS))
        return frozenset(names)

    def where(self, text: str, table: str = "") -> str:
        start = next((n for n, line in enumerate(self.lines) if f"[{table}]" in line), 0)
        places = [n for n, line in enumerate(self.lines) if n >= start and text in line]
        return f"{self.path}:{(places or [0])[0] + 1}"

    def refuse(self, reason: str, near: str, hint: str | None = None) -> NoReturn:
        raise UsageError(reason, where=self.where(near), hint=hint)
