"""Where a wire exploration works: a server with the seeded database and the migrated one on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.core.direction import Direction
from harness.crash import runners
from harness.crash.setup import Setup
from harness.database import admin, template


@dataclass(frozen=True)
class Templates:
    """Databases nobody is connected to, to clone: seeded, and seeded then migrated."""

    server_dsn: str
    source: str
    target: str

    def start(self, direction: Direction) -> str:
        """A clone of the database from which a run in this direction starts; its DSN."""
        name = self.source if direction == "forward" else self.target
        return template.clone(self.server_dsn, name)

    def close(self) -> None:
        """Drop both databases."""
        for name in (self.source, self.target):
            admin.drop(self.server_dsn, name)

    def drop(self, dsn: str) -> None:
        """Drop a clone."""
        admin.drop(self.server_dsn, admin.dbname(dsn))


def furnished(
    ground: Setup, server_dsn: str, dress: Callable[[str], None] | None = None
) -> Templates:
    """Make both databases on a server; the migrated one by an undisturbed run of the product.

    `dress` is called with the DSN of the seeded one, before the other is made from it.
    """
    source = ground.furnish(server_dsn, admin.unique_name("harness_source"))
    if dress is not None:
        dress(source)
        admin.end_connections(server_dsn, admin.dbname(source))
    target = template.clone(server_dsn, admin.dbname(source))
    runners.migrate_undisturbed(ground, target)
    admin.end_connections(server_dsn, admin.dbname(target))
    return Templates(server_dsn, admin.dbname(source), admin.dbname(target))


@contextmanager
def bench(ground: Setup) -> Iterator[Templates]:
    """The ground's bench, or one on a server of this process's own, closed at the end."""
    ready = (ground.extra or {}).get("bench")
    if isinstance(ready, Templates):
        yield ready
        return
    server = ground.server("fast")
    try:
        yield furnished(ground, server.dsn())
    finally:
        server.close()
