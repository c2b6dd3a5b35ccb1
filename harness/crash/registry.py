"""The domains of the exploration by name, in their order; a package may register its own.

An entry point of the group `harness.crash_domains` names a `Domain`, which comes after ours.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Final

from harness.core.errors import UsageError
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
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        where = f"entry point {point.name} = {point.value} of {GROUP}"
        hint = "correct the package that registers it, or remove it"
        try:
            domain = point.load()
        except Exception as error:  # whatever a foreign module raises while it is imported
            raise UsageError(f"{where} cannot be loaded: {error}", hint=hint) from error
        if not isinstance(domain, Domain):
            raise UsageError(f"{where} does not name a Domain", hint=hint)
        if domain.name in taken:
            raise UsageError(f"{where}: there is a domain {domain.name!r} already", hint=hint)
        taken.add(domain.name)
        found.append(domain)
    return found


REGISTRY: Final[dict[DomainName, Domain]] = {
    domain.name: domain for domain in (*BUILT_IN, *_registered())
}
DOMAINS: Final[tuple[DomainName, ...]] = tuple(REGISTRY)
