"""Functions and procedures of somebody's own: their bodies are text, and name what was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.artifact.inside.follow_table import judge_following, names_changed
from harness.artifact.inside.model import USERS, Connection, DatabasePair, InsideArtifact
from harness.artifact.inside.plpgsql import judge_body
from harness.artifact.inside.trial import Comparison, try_both
from harness.database.catalog import OUR_SCHEMAS

_FUNCTIONS: Final = f"""
select p.oid::int8, p.oid::regprocedure::text, l.lanname::text, p.prosrc,
       pg_catalog.pg_get_functiondef(p.oid), pg_catalog.pg_get_function_sqlbody(p.oid),
       coalesce(p.proconfig, '{{}}'),
       (select min(t.tgrelid::regclass::text) from pg_catalog.pg_trigger t where t.tgfoid = p.oid),
       p.pronargs = 0 and p.provolatile <> 'v' and p.prokind = 'f'
         and p.prorettype <> all (array['trigger', 'event_trigger', 'void']::regtype[])
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where {USERS} and l.lanname in ('sql', 'plpgsql') and p.prokind in ('f', 'p')
  and not exists (select from pg_catalog.pg_depend d
                  where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid
                    and d.deptype = 'e')
order by 2
"""  # noqa: S608 - constants
HINT: Final = "make it anew in the words after, in the same window as the migration"


@dataclass(frozen=True)
class SeenFunction:
    """A function as the catalog has it; `parsed` is its body where the server keeps it as a tree.

    `relation` is that of a trigger which calls it; `comparable` whether a call shows what it gives.
    """

    oid: int
    name: str
    language: str
    source: str
    definition: str
    parsed: str | None
    settings: Sequence[str]
    relation: str | None
    comparable: bool


def read_functions(conn: Connection) -> dict[int, SeenFunction]:
    """The functions of a database by their oid."""
    found = conn.execute(_FUNCTIONS.encode(), {"ours": list(OUR_SCHEMAS)}).fetchall()
    return {row[0]: SeenFunction(*row) for row in found}


def find_functions(pair: DatabasePair) -> Iterator[InsideArtifact]:
    """Every function that is there before and is left as it was, judged by its body."""
    first, second = read_functions(pair.before), read_functions(pair.after)
    for oid, one in first.items():
        after = second.get(oid)
        if after is None or after.source != one.source:
            continue  # the migration drops it or makes it anew: that is the migration's own
        statement, found = judge_function(pair, one, after)
        if found.outcome == "same" and not names_changed(pair, one.source + (one.parsed or "")):
            continue
        yield InsideArtifact(
            "function", one.name, found.outcome, found.reason, statement, found.sqlstate,
            found.evidence, HINT if found.outcome != "same" else "",
        )  # fmt: skip


def judge_function(
    pair: DatabasePair, one: SeenFunction, after: SeenFunction
) -> tuple[str, Comparison]:
    """The statement of a function with which it goes worst, and what came of it."""
    if one.language == "plpgsql":
        return judge_body(pair, one.definition, one.relation, one.settings)
    call = f"select * from {one.name}"  # noqa: S608 - a name as the server spells it
    if one.parsed is not None:
        read = call if one.comparable else None
        found = try_both(pair, call)[2] if read else Comparison("same")
        if found.outcome == "same":
            texts = (one.parsed, after.parsed or "")
            found = judge_following(pair, "pg_proc", one.oid, texts, read)
        return read or one.parsed, found
    made = ("set local check_function_bodies = on",)
    found = try_both(pair, one.definition, made)[2]
    if found.outcome != "same" or not one.comparable:
        return one.definition, found
    return call, try_both(pair, call)[2]
