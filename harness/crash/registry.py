"""The domains of the exploration by name, in their order; a package may register its own.

An entry point of the group `harness.crash_domains` names a `Domain`, which comes after ours.
"""

from __future__ import annotations

from typing import Final

from harness.core.plugins import load_plugins, unusable_plugin
from harness.crash.domain.contended.domain import CONTENDED
from harness.crash.domain.environment.domain import ENVIRONMENT
from harness.crash.domain.pinned.domain import PINNED
from harness.crash.domain.tampered.domain import TAMPERED
from harness.crash.domain.wal.domain import WAL
from harness.crash.domain.wire.domain import WIRE
from harness.crash.model import Domain, DomainName

GROUP: Final = "harness.crash_domains"
BUILT_IN: Final = (WIRE, WAL, PINNED, CONTENDED, TAMPERED, ENVIRONMENT)


def _registered() -> list[Domain]:
    """Domains of other packages, by name. Raises UsageError for one that cannot be used."""
    found: list[Domain] = []
    taken = {domain.name for domain in BUILT_IN}
    for point, domain in load_plugins(GROUP, Domain):
        if domain.name in taken:
            raise unusable_plugin(point, f"there is a domain {domain.name!r} already")
        taken.add(domain.name)
        found.append(domain)
    return found


REGISTRY: Final[dict[DomainName, Domain]] = {
    domain.name: domain for domain in (*BUILT_IN, *_registered())
}
DOMAINS: Final[tuple[DomainName, ...]] = tuple(REGISTRY)
