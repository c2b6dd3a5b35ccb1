"""What two descriptions of an API say differently; names that only moved are paired by the map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.artifact.renames import RelationChange, RenameMap

ChangeKind = Literal[
    "path-removed",
    "path-added",
    "path-renamed",
    "method-removed",
    "method-added",
    "property-removed",
    "property-added",
    "property-renamed",
    "property-type",
    "required-added",
    "required-removed",
    "enum-removed",
    "enum-added",
    "upsert-removed",
]
"""The last one stands in no description: a request shows it."""
METHODS = ("get", "post", "patch", "delete")


@dataclass(frozen=True)
class ApiChange:
    """One difference: on which path, of which property, what it was and what it is.

    `was` is the path before, where a successor is compared with what it stands for.
    """

    kind: ChangeKind
    path: str
    name: str = ""
    old: str = ""
    new: str = ""
    was: str = ""

    def __str__(self) -> str:
        """As a person reads it."""
        subject = f"{self.path} {self.name}".rstrip()
        from_to = f": {self.old} → {self.new}" if self.old and self.new else ""
        only = f": {self.old or self.new}" if bool(self.old) != bool(self.new) else ""
        stands = f" (for {self.was})" if self.was else ""
        return f"{self.kind} {subject}{from_to or only}{stands}"


def list_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], renames: RenameMap, schema: str
) -> list[ApiChange]:
    """Every difference, path by path; the paths that were there first."""
    return [*_TwoDescriptions(before, after, renames, schema).changes()]


class _TwoDescriptions:
    """Two documents, and the map between them."""

    def __init__(
        self,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        renames: RenameMap,
        schema: str,
    ) -> None:
        self.before, self.after = before, after
        self.pairs = {
            one.old.name.name: one
            for one in renames.changes.values()
            if one.old.name.schema == schema and one.new and one.new.name.schema == schema
        }

    def changes(self) -> Iterator[ApiChange]:
        """Those of the paths before, then the paths that are new."""
        taken = set()
        for path in self.before["paths"]:
            successor = self._successor(path)
            if successor != path and successor in self.after["paths"]:
                taken.add(successor)
                yield ApiChange("path-renamed", path, old=path, new=successor)
                yield from self._compared(path, successor)
            if path in self.after["paths"]:
                yield from self._methods(path)
                yield from self._compared(path, path)
            elif successor not in taken:
                yield ApiChange("path-removed", path)
        for path in self.after["paths"]:
            if path not in self.before["paths"] and path not in taken:
                yield ApiChange("path-added", path)

    def _successor(self, path: str) -> str:
        change = self.pairs.get(path.removeprefix("/"))
        return f"/{change.new.name.name}" if change is not None and change.new else path

    def _methods(self, path: str) -> Iterator[ApiChange]:
        old, new = self.before["paths"][path], self.after["paths"][path]
        for method in METHODS:
            if method in old and method not in new:
                yield ApiChange("method-removed", path, method.upper())
            if method in new and method not in old:
                yield ApiChange("method-added", path, method.upper())

    def _compared(self, path: str, successor: str) -> Iterator[ApiChange]:
        """A definition before, and the one at the same or the successor's path after."""
        old = _definition(self.before, path)
        new = _definition(self.after, successor)
        if old is None or new is None:
            return
        was = path if successor != path else ""
        names = self._names(path, old["properties"], new["properties"], moved=bool(was))
        yield from _properties(successor, was, old["properties"], new["properties"], names)
        yield from _required(successor, was, old, new, names)

    def _names(
        self, path: str, old: Mapping[str, Any], new: Mapping[str, Any], *, moved: bool
    ) -> dict[str, str]:
        """What every property is called in the other definition, where it is there."""
        change: RelationChange | None = self.pairs.get(path.removeprefix("/"))
        meant = change.columns if change is not None else {}
        found = {}
        for name in old:
            later = meant.get(name, name)
            if name in new and not (moved and later in new):
                later = name
            if later in new:
                found[name] = later
        return found


def _definition(document: Mapping[str, Any], path: str) -> Any:
    return document["definitions"].get(path.removeprefix("/"))


def _properties(
    path: str, was: str, old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[ApiChange]:
    for name, told in old.items():
        later = names.get(name)
        if later is None:
            yield ApiChange("property-removed", path, name, was=was)
            continue
        if later != name:
            yield ApiChange("property-renamed", path, name, name, later, was)
        if _spelled(told) != _spelled(new[later]):
            yield ApiChange("property-type", path, later, _spelled(told), _spelled(new[later]), was)
        yield from _labels(path, was, later, told.get("enum", ()), new[later].get("enum", ()))
    for name in new:
        if name not in names.values():
            yield ApiChange("property-added", path, name, new=_spelled(new[name]), was=was)


def _labels(
    path: str, was: str, name: str, old: Sequence[str], new: Sequence[str]
) -> Iterator[ApiChange]:
    if not (old and new):  # a type that became an enum is told as such
        return
    for label in old:
        if label not in new:
            yield ApiChange("enum-removed", path, name, old=label, was=was)
    for label in new:
        if label not in old:
            yield ApiChange("enum-added", path, name, new=label, was=was)


def _required(
    path: str, was: str, old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[ApiChange]:
    first = {names.get(name, "") for name in old.get("required", ())} - {""}
    second = set(new.get("required", ()))
    for name in sorted(second - first):
        yield ApiChange("required-added", path, name, was=was)
    for name in sorted(first - second):
        yield ApiChange("required-removed", path, name, was=was)


def _spelled(told: Mapping[str, Any]) -> str:
    """The type of a property in a few words."""
    kind, form = told.get("type", "any"), told.get("format", "")
    return f"{kind} ({form})" if form else str(kind)
