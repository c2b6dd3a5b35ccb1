"""Security: who may do what, before and after, by trying and by the catalog; and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import psycopg

from harness.check.security import catalog as security_catalog
from harness.check.security import policy as security_policy
from harness.check.security import probe as security_probe
from harness.check.security import rules as security_rules
from harness.check.security.catalog import Catalog
from harness.check.security.change import Changes
from harness.check.security.policy import SecurityPolicy
from harness.check.security.probe import Access
from harness.core.finding import Finding
from harness.database import admin, pinned
from harness.database.names import schema_of
from harness.document.base import from_builtins, to_builtins
from harness.document.security import SecurityDocument

Verdict = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True)
class Security:
    """What was found, and the matrix to draw."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    matrix: dict[str, Any]


@dataclass(frozen=True)
class _Look:
    access: Access
    catalog: Catalog


def policy_of(root: Path) -> SecurityPolicy:
    """The policy beside a plan; UsageError names file, line and reason when it cannot be read."""
    return security_policy.load(root / "checks" / "security.toml")


def judge(dsn: str, policy: SecurityPolicy, before: str | None = None) -> Security:
    """Probe the migrated database, and the database as it was before when that can be had.

    Without `before` the rules and the policy are judged, and what was gained or lost is not: the
    matrix then says so with `"before": null`. Nothing that is tried stays.
    """
    with ExitStack() as stack:
        conn = stack.enter_context(admin.connection(dsn, application_name="harness verify"))
        pinned.pin(conn, row_security="on")
        now = _look(conn, policy)
        then = None
        if before is not None:
            other = stack.enter_context(admin.connection(before, application_name="harness verify"))
            pinned.pin(other, row_security="on")
            then = _look(other, policy)
    changes = Changes(policy)
    findings = list(security_rules.broken(policy, now.catalog, now.access))
    if then is not None:
        broken = security_rules.broken(policy, then.catalog, then.access)
        findings = list(_as_before(policy, findings, broken))
        findings += changes.relations(then.access, now.access)
        findings += changes.functions(then.access, now.access, now.catalog)
        findings += changes.privileges(then.catalog, now.catalog)
        findings += changes.policies(then.catalog, now.catalog)
        findings += changes.owners(then.catalog, now.catalog)
        findings += changes.system(then.catalog, now.catalog)
        findings += changes.unused()
    unproven = _unproven(policy, now)
    return Security(
        _verdict(findings, unproven), (*findings, *unproven), _matrix(policy, then, now)
    )


def _as_before(
    policy: SecurityPolicy, now: list[Finding], then: Iterable[Finding]
) -> Iterator[Finding]:
    """What broke a rule before, in the same words, is no work of the migration: information.

    Unless the policy says that the migration mends it.
    """
    known = {
        (one.id, name, one.message.replace(one.where, name))
        for one in then
        for name in policy.successors(one.where)
    }
    for one in now:
        if (one.id, one.where, one.message) in known and not policy.speaks_of(one.where):
            yield replace(one, severity="info", message=f"{one.message}; as before")
        else:
            yield one


def document(found: Security) -> SecurityDocument:
    """The matrix with its verdict and findings, as JSON holds it and the report draws it."""
    whole = {"verdict": found.verdict, "findings": to_builtins(found.findings), **found.matrix}
    return from_builtins(whole, SecurityDocument)


def _look(conn: psycopg.Connection[Any], policy: SecurityPolicy) -> _Look:
    access = security_probe.probe(conn, policy)
    with conn.transaction():
        conn.execute("set transaction read only")
        return _Look(access, security_catalog.read(conn, policy))


def _unproven(policy: SecurityPolicy, now: _Look) -> list[Finding]:
    """Cells of the API's relations that nothing was learned about: unknown is not pass."""
    found = [*now.access.unproven]
    for name, cells in now.access.relations.items():
        relation = now.catalog.relations.get(name)
        if relation is not None and policy.shows(relation.schema):
            found += [
                f"{role} {command} {name}: no row to try on"
                for role, words in cells.items()
                for command, word in words.items()
                if word == "empty"
            ]
    return [
        Finding(
            "security.unproven",
            "warning",
            text.split(":")[0],
            f"not proven: {text}",
            "connect as a superuser, and give the relation a row in [specimens]",
        )
        for text in found
    ]


def _verdict(findings: list[Finding], unproven: list[Finding]) -> Verdict:
    if any(finding.severity == "critical" for finding in findings):
        return "fail"
    return "unknown" if unproven else "pass"


def _matrix(policy: SecurityPolicy, then: _Look | None, now: _Look) -> dict[str, Any]:
    return {
        "roles": list(policy.roles),
        "commands": list(security_policy.COMMANDS),
        "relations": [_row(policy, then, now, name) for name in _names(policy, then, now)],
        "functions": _functions(then, now),
    }


def _names(policy: SecurityPolicy, then: _Look | None, now: _Look) -> list[str]:
    names = set(now.access.relations) | set(then.access.relations if then else ())
    return sorted(
        names, key=lambda name: (not policy.shows(schema_of(name)), name.replace('"', ""))
    )


def _row(policy: SecurityPolicy, then: _Look | None, now: _Look, name: str) -> dict[str, Any]:
    """One relation: what each role could do before and can do now, and which changes are meant."""
    old = name
    if then is not None and name not in then.access.relations:
        old = policy.predecessor(name) or name
    before = then.access.relations.get(old) if then else None
    after = now.access.relations.get(name)
    return {
        "name": name,
        "kind": "view" if now.access.kinds.get(name) in ("v", "m") else "table",
        "was": old if before is not None and old != name else None,
        "new": then is not None and before is None,
        "before": before,
        "after": after,
        "explained": {
            f"{entry.role} {entry.command}": entry.because
            for entry in policy.explained
            if before
            and after
            and entry.covers(
                name,
                entry.role,
                entry.command,
                before[entry.role][entry.command],
                after[entry.role][entry.command],
            )
        },
    }


def _functions(then: _Look | None, now: _Look) -> list[dict[str, Any]]:
    before: dict[str, dict[str, str]] = then.access.functions if then else {}
    names = sorted(before.keys() | now.access.functions.keys())
    return [
        {"name": name, "before": before.get(name), "after": now.access.functions.get(name)}
        for name in names
    ]
