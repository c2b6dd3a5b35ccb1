"""A look at an API: described before and after, compared, each change replayed by every role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from harness.artifact.openapi.catalog import read_api
from harness.artifact.openapi.changes import ApiChange, list_changes
from harness.artifact.openapi.description import describe_api
from harness.artifact.renames import RenameMap
from harness.check.contract.postgrest.exchange import ApiSession
from harness.check.contract.settings import ApiSettings, ContractSettings
from harness.core.finding import Finding
from harness.database import admin
from harness.document.api import ApiDocument, ApiLine
from harness.document.base import Word
from harness.scenario.api.replay import Replayed, Replayer

ORDER = ("breaks", "unknown", "declared", "kept", "opens")


@dataclass
class ApiLook:
    """The document, and the descriptions that it was made from: (role, "before" or "after")."""

    document: ApiDocument
    changes: Sequence[ApiChange] = ()
    descriptions: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    @property
    def successors(self) -> dict[str, str]:
        """The old paths that are still there, and what each should give way to."""
        pairs = [change for change in self.changes if change.kind == "path-renamed"]
        there = self.paths("after")
        return {one.old: one.new for one in pairs if one.old in there}

    def paths(self, side: str) -> list[str]:
        """The paths of relations, before or after, that any role is shown."""
        every = [one for (_, when), one in self.descriptions.items() if when == side]
        return sorted({f"/{name}" for one in every for name in one["definitions"]})


def look_at_api(before: str, after: str, renames: RenameMap, settings: ContractSettings) -> ApiLook:
    """Compare the API of two databases of one lineage; both must be nobody else's.

    Every request is taken back; only sequences move.
    """
    api = settings.api
    assert api is not None, "the subject names an API"
    found: dict[tuple[ApiChange, Replayed], list[str]] = {}
    descriptions: dict[tuple[str, str], Mapping[str, Any]] = {}
    relations = {}
    with ExitStack() as stack:
        first, second = (stack.enter_context(admin.connection(dsn)) for dsn in (before, after))
        sessions = [ApiSession(conn, api.schema) for conn in (first, second)]
        for role in api.roles or settings.roles:
            old, new = read_api(first, api.schema, role), read_api(second, api.schema, role)
            told = describe_api(old), describe_api(new)
            descriptions |= {(role, "before"): told[0], (role, "after"): told[1]}
            relations[role] = len(old.relations), len(new.relations)
            replayer = Replayer(sessions[0], sessions[1], old, new, settings.actor(role))
            changes = list_changes(*told, renames, api.schema)
            for change, replayed in _replayed(replayer, changes):
                reason = api.declared.get(f"{role} {change}")
                judged = _excused(replayed, reason) if reason else replayed
                found.setdefault((change, judged), []).append(role)
    lines = [_line(change, replayed, roles) for (change, replayed), roles in found.items()]
    return ApiLook(
        _document(api, lines, relations, settings), [one for one, _ in found], descriptions
    )


def _replayed(replayer: Replayer, changes: Sequence[ApiChange]) -> list[tuple[ApiChange, Replayed]]:
    return [*((one, replayer.replay(one)) for one in changes), *replayer.methods()]


def _excused(replayed: Replayed, reason: str) -> Replayed:
    """What breaks and may, as the contract says; another outcome stays what it is."""
    if replayed.outcome != "breaks":
        return replayed
    return replace(replayed, outcome="declared", reason=reason)


def _line(change: ApiChange, replayed: Replayed, roles: Sequence[str]) -> ApiLine:
    return ApiLine(
        kind=change.kind,
        path=change.path,
        name=change.name,
        change=str(change),
        roles=tuple(roles),
        outcome=replayed.outcome,
        request=replayed.request,
        before=replayed.before,
        after=replayed.after,
        reason=replayed.reason,
    )


def _document(
    api: ApiSettings,
    lines: Sequence[ApiLine],
    relations: Mapping[str, tuple[int, int]],
    settings: ContractSettings,
) -> ApiDocument:
    findings = [_finding(line) for line in lines if line.outcome in ("breaks", "unknown")]
    findings += _undeclared(api, lines)
    return ApiDocument(
        verdict=_verdict(findings),
        schema=api.schema,
        roles=api.roles or settings.roles,
        relations=relations,
        counts=Counter(line.outcome for line in lines),
        changes=sorted(lines, key=lambda line: ORDER.index(line.outcome)),
        findings=findings,
    )


def _finding(line: ApiLine) -> Finding:
    breaks = line.outcome == "breaks"
    roles = ", ".join(line.roles)
    return Finding(
        "api-breaks" if breaks else "api-unknown",
        "critical" if breaks else "warning",
        line.path,
        f"{line.change}: {line.request} as {roles}: {line.after}, before {line.before}"
        f"{f'; {line.reason}' if line.reason else ''}",
        "keep the old path, property or right for the grace period" if breaks
        else "ask it by hand, with rows that show it",
    )  # fmt: skip


def _undeclared(api: ApiSettings, lines: Sequence[ApiLine]) -> Iterator[Finding]:
    """What the contract declares and does not happen."""
    happened = {
        f"{role} {line.change}"
        for line in lines
        if line.outcome == "declared"
        for role in line.roles
    }
    for key, reason in api.declared.items():
        if key not in happened:
            yield Finding(
                "api-declared",
                "critical",
                key,
                f"it is declared to break, and does not: {reason}",
                "take it out of contract.toml, or correct it to role, change and path",
            )


def _verdict(findings: Sequence[Finding]) -> Word:
    if any(one.severity == "critical" for one in findings):
        return "fail"
    return "unknown" if findings else "pass"
