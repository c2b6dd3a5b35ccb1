"""Triggers that tell somebody of a change: what they send of one write, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from harness.artifact.inside.firing import Firing, fire
from harness.artifact.inside.model import USERS, Connection, DatabasePair, InsideArtifact
from harness.artifact.inside.payload import compare_payloads
from harness.artifact.inside.trial import Comparison
from harness.artifact.schema import RelationName
from harness.database.catalog import OUR_SCHEMAS

_TRIGGERS: Final = f"""
select t.oid::int8, n.nspname::text, c.relname::text, t.tgname::text, t.tgtype::int4,
       pg_catalog.pg_get_triggerdef(t.oid)
from pg_catalog.pg_trigger t
join pg_catalog.pg_class c on c.oid = t.tgrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where {USERS} and not t.tgisinternal and t.tgenabled <> 'D' and c.relkind in ('r', 'p')
  and t.tgparentid = 0
order by n.nspname, c.relname, t.tgname
"""  # noqa: S608 - constants
EVENTS: Final = ((16, "UPDATE"), (4, "INSERT"), (8, "DELETE"))
"""What a trigger's type says it fires for, in the order in which it is tried."""
HINT: Final = (
    "keep the old payload by a function of the migration, or give the receivers the new one"
)


@dataclass(frozen=True)
class SeenTrigger:
    """A trigger before: its relation, its name, the events it fires for, how it is made."""

    relation: RelationName
    name: str
    events: tuple[str, ...]
    definition: str


def read_triggers(conn: Connection) -> list[SeenTrigger]:
    """The triggers of a database's tables, but those that are off."""
    found = conn.execute(_TRIGGERS.encode(), {"ours": list(OUR_SCHEMAS)}).fetchall()
    return [
        SeenTrigger(
            RelationName(schema, relation), name,
            tuple(event for bit, event in EVENTS if kind & bit), definition,
        )
        for _, schema, relation, name, kind, definition in found
    ]  # fmt: skip


def find_triggers(pair: DatabasePair) -> Iterator[InsideArtifact]:
    """Triggers of tables that change, which write what another reads: an outbox, a queue.

    A write through the old name fires them on both databases; what came to stand in other tables
    is compared, column by column and key by key.
    """
    told: set[str] = set()
    for trigger in read_triggers(pair.before):
        change = pair.renames.changes.get(trigger.relation)
        if change is None or not change.changes or change.new is None:
            continue
        for event in trigger.events:
            yield from _judge_event(pair, trigger, event, told)
    for table in sorted(told):
        yield _judge_own_events(pair, table)


def _judge_own_events(pair: DatabasePair, table: str) -> InsideArtifact:
    """What the migration itself made the triggers send, by its writes of the same rows."""
    schema, _, name = table.partition(".")
    count = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, name))
    statement = count.as_string(pair.before)
    first, second = (
        int(conn.execute(count).fetchall()[0][0]) for conn in (pair.before, pair.after)
    )
    if second <= first:
        return InsideArtifact("events", table, "same", statement=statement)
    return InsideArtifact(
        "events", table, "differs",
        f"the migration's own writes made triggers send {second - first} rows to it",
        statement, evidence=(f"before: {first} rows", f"after: {second} rows"),
        hint="let the triggers pass over what the migration writes, or warn the receivers",
    )  # fmt: skip


def _judge_event(
    pair: DatabasePair, trigger: SeenTrigger, event: str, told: set[str]
) -> Iterator[InsideArtifact]:
    first = fire(pair.before, trigger.relation, event, None, pair.timeout)
    kind, name = "trigger", f"{trigger.relation}.{trigger.name} on {event.lower()}"
    if first is None:
        reason = "no row of its table could be written so that it fires"
        yield InsideArtifact(kind, name, "unknown", reason, trigger.definition)
        return
    if not first.sent:
        return  # it tells nobody: it keeps columns in step, or refuses
    told.update(first.sent)
    again = fire(pair.before, trigger.relation, event, first, pair.timeout)
    second = fire(pair.after, trigger.relation, event, first, pair.timeout)
    found = _compared(first, again, second, new_names(pair))
    yield InsideArtifact(
        kind,
        name,
        found.outcome,
        found.reason,
        first.statement,
        found.sqlstate,
        found.evidence,
        HINT if found.outcome != "same" else "",
    )


def new_names(pair: DatabasePair) -> dict[str, str]:
    """What tables are called afterwards, by what they are called before."""
    after = {one.oid: str(one.name) for one in pair.renames.after.relations.values()}
    before = pair.renames.before.relations.values()
    return {str(one.name): after[one.oid] for one in before if one.oid in after}


def _compared(
    first: Firing, again: Firing | None, second: Firing | None, names: Mapping[str, str]
) -> Comparison:
    """Of what was written afterwards only the tables count that were written to before."""
    if second is None or again is None:
        return Comparison("cannot", "the same write through the old name is refused afterwards")
    sent = {name: second.sent.get(names.get(name, name), ()) for name in first.sent}
    return compare_payloads(first.sent, again.sent, sent)
