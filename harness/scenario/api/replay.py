"""A change of an API's description, replayed as a request before and after, as a role."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from harness.artifact.openapi.catalog import ApiRelation, ApiSchema
from harness.artifact.openapi.changes import ApiChange, ChangeKind
from harness.check.contract.postgrest.exchange import ApiResponse, ApiSession
from harness.check.contract.postgrest.provider import spell_value
from harness.check.contract.postgrest.request import METHODS, ApiRequest, Filter, Method
from harness.check.contract.session import CONNECTED, Actor
from harness.core.sqlstate import INSUFFICIENT_PRIVILEGE, NOT_NULL_VIOLATION
from harness.document.api import ApiOutcome

ROWS: Final = 50


@dataclass(frozen=True)
class Replayed:
    """The request, what came of it on both sides, and what that means."""

    outcome: ApiOutcome
    request: str
    before: str
    after: str
    reason: str = ""


@dataclass
class Replayer:
    """Both databases as one role sees them."""

    before: ApiSession
    after: ApiSession
    old: ApiSchema
    new: ApiSchema
    actor: Actor
    specimens: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)

    def replay(self, change: ApiChange) -> Replayed:
        """What requests show of a change."""
        return REPLAYS[change.kind](self, change)

    def methods(self) -> Iterator[tuple[ApiChange, Replayed]]:
        """Every method of every old path, and an upsert, where it ends otherwise than before."""
        for relation in self.old.relations:
            later = self._relation(self.new, f"/{relation.name}")
            if later is None:
                continue  # a path that is gone is told as such, and so is a column
            kept = {one.name for one in later.columns}
            for method in METHODS:
                request = self._request(method, relation, kept)
                if request is not None:
                    yield from self._ends(request, "method-removed", method)
            request = self._request("POST", relation, kept)
            row = self.specimen(relation.name)
            if request is not None and row is not None and kept.issuperset(relation.key):
                body = {**request.body[0], **{name: row[name] for name in relation.key}}
                upsert = replace(request, body=[body], merge=relation.key)
                if relation.key:
                    yield from self._ends(upsert, "upsert-removed", "on_conflict")

    def _ends(
        self, request: ApiRequest, kind: ChangeKind, name: str
    ) -> Iterator[tuple[ApiChange, Replayed]]:
        first, second = self._both(request)
        outcome = _end(first, second)
        if outcome != "kept":
            yield ApiChange(kind, request.path, name), _told(outcome, request, first, second)

    def _both(
        self, request: ApiRequest, other: ApiRequest | None = None
    ) -> tuple[ApiResponse, ...]:
        return (
            self.before.send(request, self.actor),
            self.after.send(other or request, self.actor),
        )

    def _request(
        self, method: Method, relation: ApiRelation, kept: Collection[str]
    ) -> ApiRequest | None:
        """A request of a method, made of a row's columns that are `kept`; None without a row."""
        name, schema = relation.name, self.old.schema
        if method == "GET":
            return ApiRequest("GET", name, schema, limit=1)
        row = self.specimen(name)
        if row is None:
            return None
        given = {n: v for n, v in self._writable(relation, row).items() if n in kept}
        if method == "POST":
            return ApiRequest("POST", name, schema, body=[given]) if given else None
        key = relation.key or [next(iter(row))]
        at = [Filter(one, "eq", _as_text(row[one])) for one in key if one in kept]
        if not at:
            return None
        if method == "DELETE":
            return ApiRequest("DELETE", name, schema, filters=at)
        body = {n: v for n, v in given.items() if v is not None}
        return ApiRequest("PATCH", name, schema, filters=at, body=[body]) if body else None

    def specimen(self, name: str, *, later: bool = False) -> Mapping[str, Any] | None:
        """The first row, whoever sees it, as a client keeps it; None where there is none."""
        key = f"{name} after" if later else name
        if key not in self.specimens:
            asked = ApiRequest("GET", name, self.old.schema, limit=1)
            got = (self.after if later else self.before).send(asked, Actor(CONNECTED))
            texts = ({key: json.loads(spell_json(one)) for key, one in row} for row in got.rows)
            self.specimens[key] = next(texts, None)
        return self.specimens[key]

    def _writable(self, relation: ApiRelation, row: Mapping[str, Any]) -> dict[str, Any]:
        skipped = {*relation.key, *(one.name for one in relation.columns if one.generated)}
        if not relation.key:
            skipped.add(next(iter(row)))
        return {name: value for name, value in row.items() if name not in skipped}

    def _relation(self, api: ApiSchema, path: str) -> ApiRelation | None:
        name = path.removeprefix("/")
        return next((one for one in api.relations if one.name == name), None)


def spell_json(value: Any) -> str:
    """A value of a body as JSON."""
    return "null" if value is None else spell_value(value)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _told(
    outcome: ApiOutcome,
    request: ApiRequest,
    before: ApiResponse,
    after: ApiResponse,
    reason: str = "",
) -> Replayed:
    return Replayed(outcome, str(request), before.told, after.told, reason)


def _end(first: ApiResponse, second: ApiResponse) -> ApiOutcome:
    """What two ends mean; one error for another is kept, unless a right is what is missing now."""
    if first.sqlstate == second.sqlstate:
        return "kept"
    if not first.sqlstate or second.sqlstate == INSUFFICIENT_PRIVILEGE:
        return "breaks"
    return "kept" if second.sqlstate else "opens"


def _page(path: str, schema: str, *select: str, limit: int = 1) -> ApiRequest:
    return ApiRequest("GET", path.removeprefix("/"), schema, select=select, limit=limit)


def _path(self: Replayer, change: ApiChange) -> Replayed:
    """A path that is gone, or has a successor: is the old one still answered?"""
    if change.path.startswith("/rpc/"):
        return Replayed("unknown", f"POST {change.path}", "", "", "a function is not called")
    request = _page(change.path, self.old.schema)
    first, second = self._both(request)
    if first.sqlstate:
        return _told("kept", request, first, second, "it was refused before, too")
    if second.sqlstate:
        return _told("breaks", request, first, second)
    if change.kind == "path-renamed":
        later = self.after.send(_page(change.new, self.new.schema), self.actor)
        if later.sqlstate:
            reason = f"the successor {change.new} is refused: {later.told}"
            return _told("breaks", request, first, second, reason)
        return _told("kept", request, first, second, f"so is {change.new}: {later.told}")
    return _told("kept", request, first, second)


def _opened(self: Replayer, change: ApiChange) -> Replayed:
    """A path, method or property that is new: is it answered?"""
    if change.path.startswith("/rpc/"):
        return Replayed("opens", f"POST {change.path}", "", "", "a function is not called")
    select = (change.name,) if change.kind == "property-added" else ()
    request = _page(change.path, self.new.schema, *select)
    first, second = self._both(request)
    if second.sqlstate:
        return _told("kept", request, first, second, "it is described, and refused")
    return _told("opens", request, first, second)


def _method(self: Replayer, change: ApiChange) -> Replayed:
    relation = self._relation(self.old, change.path) or self._relation(self.new, change.path)
    method: Any = change.name
    every = [one.name for one in relation.columns] if relation is not None else []
    request = self._request(method, relation, every) if relation is not None else None
    if request is None:
        return Replayed(
            "unknown", f"{change.name} {change.path}", "", "", "there is no row to ask with"
        )
    first, second = self._both(request)
    return _told(_end(first, second), request, first, second)


def _property(self: Replayer, change: ApiChange) -> Replayed:
    """A property that is gone, renamed, or of another type: what does a client that names it get?

    At a successor's path it is the client that moves who meets it: the old path is told apart.
    """
    old_path = change.was or change.path
    name = change.old if change.kind == "property-renamed" else change.name
    request = _keyed(self, old_path, name)
    if change.was:
        later = change.new if change.kind == "property-renamed" else change.name
        return _moved(self, change, request, _keyed(self, change.path, later, old_path))
    return _compared(self, request, *self._both(request))


def _keyed(self: Replayer, path: str, name: str, like: str = "") -> ApiRequest:
    """The property of the first rows, in the order of the key, where there is one."""
    relation = self._relation(self.old, like or path)
    named = (relation.key or [one.name for one in relation.columns][:1]) if relation else []
    return ApiRequest(
        "GET", path.removeprefix("/"), self.old.schema, select=(name,), order=named, limit=ROWS
    )


def _moved(self: Replayer, change: ApiChange, request: ApiRequest, later: ApiRequest) -> Replayed:
    first, second = self._both(request)
    kept = _compared(self, request, first, second)
    if first.sqlstate or second.sqlstate:
        return kept
    moved = self.after.send(later, self.actor)
    reason = f"whoever moves asks {later}: {moved.told}"
    pair = _first_pair(first, moved)
    if pair is not None and change.kind != "property-renamed":
        reason += f", {pair[0]} is {pair[1]} there"
    return Replayed(kept.outcome, kept.request, kept.before, kept.after, kept.reason or reason)


def _compared(
    self: Replayer, request: ApiRequest, first: ApiResponse, second: ApiResponse
) -> Replayed:
    if first.sqlstate:
        return _told("kept" if second.sqlstate else "opens", request, first, second)
    if second.sqlstate:
        return _told("breaks", request, first, second)
    pair = _first_pair(first, second)
    if pair is not None:
        return _told("breaks", request, first, second, f"{pair[0]} comes as {pair[1]}")
    if not first.rows and self.specimen(request.relation) is None:
        return _told("unknown", request, first, second, "there is no row to compare")
    if not first.rows:
        return _told("kept", request, first, second, "the role sees no row, before and after")
    return _told("kept", request, first, second, "the same values come back")


def _first_pair(first: ApiResponse, second: ApiResponse) -> tuple[str, str] | None:
    """The first two values that differ, spelled as JSON."""
    for old, new in zip(first.rows, second.rows, strict=False):
        one, other = spell_json(old[0][1]), spell_json(new[0][1])
        if one != other:
            return one[:60], other[:60]
    return None


def _required(self: Replayer, change: ApiChange) -> Replayed:
    """A POST without the property: on its path before and after, on a successor's after alone."""
    api, path = (self.new if change.was else self.old), change.path
    relation = self._relation(api, path)
    row = self.specimen(relation.name, later=bool(change.was)) if relation is not None else None
    if relation is None or row is None:
        asked = f"POST {path} without {change.name}"
        return Replayed("unknown", asked, "", "", "there is no row to make a request of")
    body = {name: v for name, v in self._writable(relation, row).items() if name != change.name}
    request = ApiRequest("POST", relation.name, api.schema, body=[body])
    if change.was:
        told = self.after.send(request, self.actor)
        return Replayed("kept", str(request), "", told.told, f"{change.was} is told apart")
    return _weighed(change, request, *self._both(request))


def _weighed(
    change: ApiChange, request: ApiRequest, first: ApiResponse, second: ApiResponse
) -> Replayed:
    outcome, reason = _end(first, second), ""
    if not first.sqlstate and not second.sqlstate:
        reason = "it is filled where it is left out"
    elif change.kind == "required-removed" and second.sqlstate == NOT_NULL_VIOLATION:
        reason = "it is required as before, which a view does not say: publish it by @notNull"
    elif first.sqlstate:
        reason = "it was refused before, too"
    return _told(outcome, request, first, second, reason)


def _label(self: Replayer, change: ApiChange) -> Replayed:
    path = change.was or change.path
    at = Filter(change.name, "eq", change.old or change.new)
    request = ApiRequest("GET", path.removeprefix("/"), self.old.schema, filters=[at], limit=1)
    first, second = self._both(request)
    if change.kind == "enum-removed":
        return _told("breaks" if second.sqlstate else "kept", request, first, second)
    return _told("unknown" if second.sqlstate else "opens", request, first, second)


REPLAYS: Final[Mapping[str, Callable[[Replayer, ApiChange], Replayed]]] = {
    "path-removed": _path,
    "path-renamed": _path,
    "path-added": _opened,
    "method-removed": _method,
    "method-added": _method,
    "property-removed": _property,
    "property-renamed": _property,
    "property-type": _property,
    "property-added": _opened,
    "required-added": _required,
    "required-removed": _required,
    "enum-removed": _label,
    "enum-added": _label,
}
