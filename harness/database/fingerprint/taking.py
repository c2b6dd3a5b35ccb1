"""Take a fingerprint of a live database: one snapshot, read-only, nothing created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from harness.core.errors import InfrastructureError
from harness.database.catalog import MAIL_SCHEMA, MAINTENANCE_SCHEMA, OUR_SCHEMAS, OUTBOX_SCHEMA
from harness.database.fingerprint import catalog, model
from harness.database.fingerprint.data import Sums, tasks_for
from harness.database.fingerprint.layout import (
    HashedTable,
    read_layout,
    read_names,
    refuse_unreadable,
)
from harness.database.fingerprint.model import Fingerprint
from harness.database.fingerprint.parallel import run
from harness.database.fingerprint.session import (
    Connection,
    begin,
    explained,
    lock,
    share,
    snapshot,
)
from harness.database.fingerprint.sketching import Sketches

_BY_PRELUDE: Final = (MAINTENANCE_SCHEMA, OUTBOX_SCHEMA, MAIL_SCHEMA)
EXCLUDED: Final = tuple(name for name in OUR_SCHEMAS if name not in _BY_PRELUDE)
"""Left out, and said to be in a saved fingerprint; others of ours the prelude leaves out."""
_ATTEMPTS: Final = 5


def take(
    dsn: str,
    *,
    workers: int = 2,
    data: bool = True,
    exclude_schemas: Sequence[str] = EXCLUDED,
    detail: bool = False,
    omit: Mapping[str, Mapping[str, str]] | None = None,
    exclude: Sequence[str] = (),
) -> Fingerprint:
    """The identity of a database, read over `workers` connections in one snapshot.

    Without `data` no row is read. With `detail` the fingerprint also carries what names the rows
    and columns that differ when it is compared later: take it so to save it.
    `omit` has, by relation and column, what is not compared: see `Table.without`. The relations
    `exclude` are no part of the identity, with what belongs to them: each is named schema.relation,
    or by its name alone in whatever schema; one that is not there is left out too.
    Refused if the role may not read a table or is subject to row level security on one.
    """
    with (
        explained("taking the fingerprint"),
        snapshot(dsn, workers, exclude_schemas, exclude) as connections,
    ):
        tables = []
        if data:
            tables = [t.without((omit or {}).get(t.name, {})) for t in hold(connections[0])]
        else:
            refuse_unreadable(connections[0], rows=False)
            begin(connections[0])
        share(connections)
        found = read(connections, tables, data, detail, tuple(exclude_schemas))
    return replace(found, excluded_relations=tuple(sorted(set(exclude))))


def hold(conn: Connection) -> list[HashedTable]:
    """Begin a transaction whose tables stay as they are, and return them.

    The tables are listed first, then locked, then the snapshot is taken and they are listed again:
    a table made or rewritten in between is seen by trying again.
    """
    refuse_unreadable(conn)
    for _ in range(_ATTEMPTS):
        listed = read_names(conn)
        begin(conn)
        lock(conn, listed)
        tables = read_layout(conn)
        if {table.name for table in tables if table.divisible} == set(listed):
            return tables
        conn.execute("rollback")
    raise InfrastructureError(
        "tables come and go too fast to take a fingerprint", hint="try again when it is quiet"
    )


def read(
    connections: Sequence[Connection],
    tables: Sequence[HashedTable],
    data: bool,
    detail: bool,
    excluded: tuple[str, ...],
) -> Fingerprint:
    """Take a fingerprint over connections that all see one snapshot; see `take` for the rest."""
    conn = connections[0]
    objects: dict[str, dict[str, str]] = {}
    tasks = catalog.tasks_for(conn, objects)
    sums = Sums(tables if data else ())
    sketches = Sketches(tables if data and detail else ())
    # the sums of a sketch's groups are those of its table: no row is read twice
    run(connections, tasks + (sketches.tasks() if data and detail else tasks_for(tables, sums)))
    if data and detail:
        sums = sketches.sums()
        sketches.read_keys(conn)
    relations = sums.relations()
    values = catalog.read_sequences(conn)
    return Fingerprint(
        catalog=model.digest_of_objects(objects["catalog"]),
        security=model.digest_of_objects(objects["security"]),
        data=model.digest_of_relations(relations) if data else "",
        sequences=model.digest_of_sequences(values),
        relations=relations,
        objects=objects,
        sequence_values=values,
        remnants=catalog.read_remnants(conn),
        sketches=sketches.found(),
        excluded=excluded,
        server_version=conn.info.server_version,
    )
