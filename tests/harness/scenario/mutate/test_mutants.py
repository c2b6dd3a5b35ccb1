"""Each defect of the list is made, is one change, and runs."""

from __future__ import annotations

import pytest

from harness.core.errors import UsageError
from harness.plan import Plan
from harness.scenario.mutate import mutants
from harness.scenario.mutate.model import Mutant
from tests.harness.support.runner import SmallPlan

TRIGGER = (
    "create trigger t before insert or update of b, c on public.a"
    " for each row execute function public.f()"
)


# A statement of the first step, an operator, and a text that the mutant holds (or, after a minus,
# does not hold any more).
MADE = [
    ("select 1 from public.a where b", "drop-where", "-where"),
    ("select 1 from public.a where b and c", "drop-condition", "-and"),
    ("select 1 from public.a join public.b on a.x = b.x", "drop-join-condition", "on true"),
    ("select 1 from public.a left join public.b on a.x = b.x", "inner-join", "-left"),
    ("select 1 from public.a where b = 2", "negate", "b <> 2"),
    ("select 1 from public.a where b < 2", "boundary", "b <= 2"),
    ("select 1 from public.a where b is null", "negate", "is not null"),
    ("select 1 from public.a where exists (select 2)", "negate", "not exists"),
    ("select 1 from public.a where b is distinct from 2", "negate", "is not distinct"),
    ("select 1 from public.a where b between 2 and 3", "negate", "not b between"),
    ("select 1 from public.a where not b", "negate", "-not"),
    ("select case b when 2 then 3 else 4 end from public.a", "drop-case", "-else"),
    ("update public.a set b = 2, c = 3", "drop-assignment", "-c = 3"),
    ("select 41", "change-constant", "42"),
    ("select 'xy'", "change-constant", "'xyx'"),
    ("select 'x'", "change-constant", "'y'"),  # a "char" is its first letter and no more
    ("select true", "change-constant", "false"),
    ("create table public.a (b public.mood default 'sad')", "change-constant", "'glad'"),
    ("create table public.a (b int default 2)", "drop-default", "-default"),
    ("create table public.a (b int not null)", "drop-constraint", "-not null"),
    ("create table public.a (b int, c text)", "drop-part", "-c text"),
    (
        "create table public.a (b int references public.c on delete cascade)",
        "on-delete",
        "-on delete cascade",
    ),
    ("create type public.b as enum ('x', 'y')", "enum-label", "'y', 'x'"),
    ("create unique index a_b on public.a (b)", "not-unique", "-unique"),
    ("alter table public.a add b int, add c int", "drop-part", "-add column c"),
    ("grant all on public.a to app, reader", "change-role", "to reader, reader"),
    ("grant all on public.a to authenticated", "change-privilege", "grant select"),
    ("grant select, update on public.a to x", "drop-privilege", "-select"),
    ("revoke all on public.a from x, y", "drop-privilege", "-y"),
    ("create policy p on public.a using (b)", "policy-permissive", "restrictive"),
    ("create policy p on public.a for select using (b)", "policy-command", "for update"),
    ("create policy p on public.a for select using (b)", "drop-where", "true"),
    ("create view public.v with (security_invoker = on) as select 1", "security-invoker", "-on"),
    (
        "create function public.f() returns int language sql set search_path = '' as 'select 1'",
        "open-search-path",
        "-search_path",
    ),
    (
        "create function public.f() returns int language sql security definer as 'select 1'",
        "security-definer",
        "-definer",
    ),
    ("create function public.f() returns int language sql as 'select 1'", "change-constant", "2"),
    (
        TRIGGER,
        "trigger-event",
        "-insert",
    ),
    (
        TRIGGER,
        "trigger-column",
        "-, c",
    ),
    ("lock table public.a, public.b in share mode", "drop-lock", "-public.b"),
    ("drop table public.a, public.b", "drop-part", "-public.b"),
    ("select public.f(), public.g()", "delete-statement", "-public.g()"),
    ("select public.keep('b is null or c > 4')", "negate", "b is not null"),
    ("update public.a set b = left(btrim(b), 9)", "unwrap-call", "b = btrim(b)"),
    ("update public.a set b = left(btrim(b), 9)", "unwrap-call", 'b = "left"(b, 9)'),
    ("update public.a set b = coalesce(c, '')", "unwrap-call", "b = c"),
    ("update public.a set b = nullif(c, '')", "unwrap-call", "b = c"),
    ("update public.a set b = (c at time zone 'UTC')::date", "unwrap-call", "b = cast(c as date)"),
    ("update public.a set b = b || c", "drop-operand", "b = c"),
    ("update public.a set b = concat_ws(' ', b, c)", "drop-operand", "concat_ws(' ', b)"),
    ("insert into public.a (b, c) values (2, 3), (4, 5)", "null-value", "(4, null)"),
    ("insert into public.a (b, c) select 2, d from public.e", "null-value", "select 2, null"),
    ("drop table public.a", "cascade", "cascade"),
]


# A script, an operator, and what is added to it.
WHOLE = [
    ("update public.things set id = 1", "header", "-- lock_timeout: 1h"),
    ("update public.things set id = 1", "header", "-- set: session_replication_role=replica"),
    ("alter table public.things add b int", "leave-setting", "(autovacuum_enabled = off)"),
    ('lock table public."T"', "leave-setting", 'alter table public."T" set'),
    ("create table public.a (b int)", "leave-setting", "alter table public.a set"),
    ("alter table public.things add b int", "reset-sequence", "cache 1"),
]


PLPGSQL = """
create function public.f() returns trigger language plpgsql as $$
declare
    few boolean := true;
    held record;
begin
    if tg_op = 'INSERT' then
        new.b := coalesce(new.b, 3);
    end if;
    perform 1 from public.a where b > 4;
    select x.* into held from public.a x where x.id = new.id;
    update public.a set b = 5 where c;
    raise exception 'no % here', 6 using errcode = 'check_violation', hint = 'a hint';
    return new;
end
$$
"""


INSIDE = [
    ("delete-statement", "new.b := coalesce(new.b, 3)", "null;"),
    ("negate", "tg_op = 'INSERT'", "tg_op <> 'INSERT'"),
    ("change-constant", "coalesce(new.b, 3)", "COALESCE(new.b, 4)"),
    ("change-constant", "few boolean := true", "few boolean := FALSE"),
    ("boundary", "where b > 4", "b >= 4"),
    ("negate", "where x.id = new.id", "x.id <> new.id"),
    ("drop-where", "where c", "SET b = 5;"),
    ("change-constant", "errcode = 'check_violation'", "'check_violationx'"),
]


def holding(small: SmallPlan, statement: str) -> tuple[Mutant, ...]:
    name = "phases/1.1_fill/010_column.forward.sql"
    small.write(name, f"create type public.mood as enum ('sad', 'glad');\n{statement};\n")
    return tuple(
        m for m in mutants.of_plan(small.load()) if m.step == "1.1/010_column" and m.line == 2
    )


@pytest.mark.parametrize(("statement", "operator", "said"), MADE)
def test_defect_is_made(statement: str, operator: str, said: str, small: SmallPlan) -> None:
    texts = [
        " ".join((m.text or "").lower().split())
        for m in holding(small, statement)
        if m.operator == operator
    ]
    wanted = said.removeprefix("-").lower()
    gone = said.startswith("-")
    assert any((wanted not in text) if gone else (wanted in text) for text in texts), texts


@pytest.mark.parametrize(("statement", "operator", "said"), WHOLE)
def test_defect_of_a_script_as_a_whole_is_made(
    statement: str, operator: str, said: str, small: SmallPlan
) -> None:
    small.write("phases/1.1_fill/010_column.forward.sql", f"{statement};\n")
    plan = small.load()
    made = [m for m in mutants.of_plan(plan) if m.operator == operator and m.script]
    (one,) = (m for m in made if m.file == "1.1/010_column.forward" and said in m.after)
    assert f"+{said}" in one.diff or said in one.diff
    assert mutants.applied(plan, one).steps[0].forward == one.script


def test_a_table_that_the_script_drops_is_left_no_setting(small: SmallPlan) -> None:
    text = "lock table public.things;\ndrop table public.things;\n"
    small.write("phases/1.1_fill/010_column.forward.sql", text)
    left = [m for m in mutants.of_plan(small.load()) if m.operator == "leave-setting"]
    assert "1.1/010_column.forward" not in {m.file for m in left}


def test_a_batch_becomes_one_transaction_of_every_row(small: SmallPlan) -> None:
    plan = small.load()
    (one,) = (
        m
        for m in mutants.of_plan(plan)
        if m.operator == "step-kind" and m.file == "1.1/020_fill.forward"
    )
    script = mutants.applied(plan, one).steps[1].forward
    assert (script.kind, script.table, script.key) == ("transaction", None, None)
    assert not any("%(" in statement.text for statement in script.statements)
    assert "-- kind: transaction" in one.diff


def test_an_index_is_built_while_writers_wait(every: tuple[Mutant, ...]) -> None:
    built = [m for m in every if m.operator == "step-kind" and "concurr" in m.diff]
    assert built
    for one in built:
        assert one.script is not None
        assert not any("CONCURRENTLY" in s.text.upper() for s in one.script.statements)


def test_the_clean_up_has_mutants_of_its_own(harness_plan: Plan, every: tuple[Mutant, ...]) -> None:
    one = next(m for m in every if m.step == "cleanup/030_backups")
    changed = mutants.applied(harness_plan, one)
    assert one.id.startswith("cleanup/030_backups:")
    assert changed.phases == harness_plan.phases
    assert [
        a.name for a, b in zip(changed.cleanup, harness_plan.cleanup, strict=True) if a != b
    ] == ["cleanup/030_backups.sql"]


@pytest.mark.parametrize(("operator", "old", "new"), INSIDE)
def test_defect_is_made_inside_a_function(
    operator: str, old: str, new: str, small: SmallPlan
) -> None:
    made = [m for m in holding(small, PLPGSQL.strip()) if m.operator == operator]
    assert any(new in (m.text or "") for m in made), (old, [m.diff for m in made])


def test_what_a_function_says_to_people_is_left_alone(small: SmallPlan) -> None:
    assert not [m for m in holding(small, PLPGSQL.strip()) if "a hintx" in (m.text or "")]


def test_the_reference_plan_has_every_kind_of_mutant_both_ways(
    harness_plan: Plan, every: tuple[Mutant, ...]
) -> None:
    listed = {operator for _, operator, _ in MADE} - {"drop-part", "delete-statement"}
    assert listed <= {m.operator for m in every}
    assert {m.direction for m in every} == {"forward", "rollback"}
    assert {m.step for m in every if not m.cleans} == {
        step.id
        for step in harness_plan.steps
        if step.forward.statements or step.rollback.statements
    }
    assert len({m.id for m in every}) == len(every)


def test_a_mutant_differs_from_the_plan_in_one_script_and_keeps_its_hash(
    harness_plan: Plan, every: tuple[Mutant, ...]
) -> None:
    for mutant in every[::40]:
        if mutant.swap or mutant.cleans:
            continue
        try:
            changed = mutants.applied(harness_plan, mutant)
        except UsageError:
            continue
        assert changed.files == harness_plan.files
        differing = [
            (old.id, direction)
            for old, new in zip(harness_plan.steps, changed.steps, strict=True)
            for direction in ("forward", "rollback")
            if getattr(old, direction) != getattr(new, direction)
        ]
        assert differing == [(mutant.step, mutant.direction)]


def test_a_batch_keeps_its_bounds_and_its_percent_signs(small: SmallPlan) -> None:
    name = "phases/1.1_fill/020_fill.forward.sql"
    small.replace(name, "upper(name)", "upper(name) || '100%%'")
    made = [m for m in mutants.of_plan(small.load()) if m.step == "1.1/020_fill" and m.text]
    kept = [m for m in made if m.operator == "change-constant"]
    assert any("%(after)s" in (m.text or "") and "100%%" in (m.text or "") for m in kept)


def test_two_steps_change_places(small: SmallPlan) -> None:
    plan = small.load()
    swap = next(m for m in mutants.of_plan(plan) if m.swap and m.step == "1.1/020_fill")
    ids = [step.id for step in mutants.applied(plan, swap).steps]
    assert ids == ["1.1/010_column", "1.2/010_index", "1.1/020_fill"]


def test_an_id_outlives_what_is_written_above_it(small: SmallPlan) -> None:
    before = {m.id for m in mutants.of_plan(small.load())}
    name = "phases/1.1_fill/010_column.forward.sql"
    small.replace(name, "CREATE TABLE", "-- a word more\n\nCREATE TABLE")
    assert {m.id for m in mutants.of_plan(small.load())} == before
