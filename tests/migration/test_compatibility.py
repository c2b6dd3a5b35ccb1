"""Old clients go on reading and writing through the views, and get what they always got."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fixtures import contract as legacy
from harness.report import evidence

from .contract import Session, parameters, read_differences, write_differences
from .support import HOSTILE, Pair, acting_as, column, scalar, taken_back

READS = legacy.load("read")
WRITES = legacy.load("write")
EVERY_READ = [(query, role) for query in READS for role in query.roles]
EVERY_WRITE = [(query, role) for query in WRITES for role in query.roles]
PairFactory = Callable[..., Pair]


def named(value: Any) -> str:
    return value if isinstance(value, str) else value.name


def counted(what: str, query: legacy.ContractQuery, role: str, every: list[Any]) -> None:
    of = [f"{one.name} as {by}" for one, by in every]
    evidence.count("compatibility", what, [f"{query.name} as {role}"], of)


@pytest.mark.parametrize(("query", "role"), EVERY_READ, ids=named)
def test_legacy_read_is_answered_as_before(
    query: legacy.ContractQuery, role: str, good: Pair
) -> None:
    assert read_differences(good, query, role) == []
    counted("legacy reads by role", query, role, EVERY_READ)


def test_legacy_reads_of_hostile_rows_are_answered_as_before(hostile: Pair) -> None:
    found = [read_differences(hostile, query, role) for query, role in EVERY_READ]
    assert [line for lines in found for line in lines] == []


@pytest.mark.parametrize(("query", "role"), EVERY_WRITE, ids=named)
def test_legacy_write_does_what_it_did(query: legacy.ContractQuery, role: str, small: Pair) -> None:
    with taken_back(small.source, small.target):
        assert write_differences(small, (query,), role) == []
    counted("legacy writes by role", query, role, EVERY_WRITE)


def test_legacy_writes_one_after_another_do_what_they_did(pair_factory: PairFactory) -> None:
    assert write_differences(pair_factory(), WRITES) == []


def test_legacy_writes_on_hostile_rows_do_what_they_did(pair_factory: PairFactory) -> None:
    assert write_differences(pair_factory(rows=HOSTILE, profile="hostile"), WRITES[::-1]) == []


@pytest.mark.parametrize("query", [q for q in READS if "anon" not in q.roles], ids=named)
def test_anon_gets_no_row(query: legacy.ContractQuery, good: Pair) -> None:
    answers = Session(good.target).run(query, "anon", parameters(good, query))
    assert [answer.rows for answer in answers if answer.rows] == []


def test_old_clients_do_not_see_what_new_clients_deleted(small: Pair) -> None:
    with taken_back(small.target) as target:
        key = scalar(target, "select min(id) from public.opportunities")
        bury = "update public.opportunities set deleted_at = now() where id = %s"
        with acting_as(target, "service_role"):
            target.execute(bury, [key])
        with acting_as(target, "authenticated"):
            assert column(target, "select id from public.deals where id = %s", [key]) == []
            assert target.execute("delete from public.deals where id = %s", [key]).rowcount == 0


def test_old_clients_cannot_see_through_a_view_what_a_policy_hides(small: Pair) -> None:
    with taken_back(small.target) as target:
        target.execute(
            'alter policy "Enable read access for authenticated users" on public.opportunities'
            " using (amount is null)"
        )
        with acting_as(target, "authenticated"):
            assert scalar(target, "select count(*) from public.deals where amount > 0") == 0


# Planted defects: the comparison must see them.

READ_DEFECTS = [
    ("kanban", "alter view public.deals rename column amount to sum", "statement 1"),
    (
        "kanban",
        """update public.opportunities set index = -1 where id =
        (select min(id) from public.opportunities where archived_at is null)""",
        ": row ",
    ),
    ("deal_notes", 'delete from public."opportunityNotes"', "0 rows"),
    ("kanban", "revoke select on public.deals from authenticated", "42501"),
    ("contacts", "drop view public.contacts_summary", "42P01"),
]


@pytest.mark.parametrize(("name", "defect", "said"), READ_DEFECTS)
def test_planted_defect_of_a_read_is_reported(
    name: str, defect: str, said: str, small: Pair
) -> None:
    query = next(query for query in READS if query.name == name)
    with taken_back(small.target) as target:
        target.execute(defect)
        found = read_differences(small, query, "authenticated")
    assert [line for line in found if said in line], found


WRITE_DEFECTS = [
    (
        "create_deal_with_defaults",
        "alter view public.deals alter created_at drop default",
        "23502",
    ),
    ("edit_deal", "revoke update on public.deals from authenticated", "42501"),
    (
        "drag_deal",
        """create trigger aa_lost before update on public.opportunities for each row
        when (new.index is distinct from old.index) execute function public.keep_index()""",
        "index",
    ),
    (
        "delete_company",
        "alter table public.contacts drop constraint contacts_company_id_fkey",
        "contacts",
    ),
]
KEEP_INDEX = (
    "create function public.keep_index() returns trigger language plpgsql as"
    " 'begin new.index := old.index; return new; end'"
)


@pytest.mark.parametrize(("name", "defect", "said"), WRITE_DEFECTS)
def test_planted_defect_of_a_write_is_reported(
    name: str, defect: str, said: str, small: Pair
) -> None:
    query = next(query for query in WRITES if query.name == name)
    with taken_back(small.source, small.target) as target:
        target.execute(KEEP_INDEX)
        target.execute(defect)
        found = write_differences(small, (query,))
    assert [line for line in found if said in line], found
