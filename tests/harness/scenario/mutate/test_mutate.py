"""Mutants: each defect of the list is made, is one change, and runs; the run tells who saw it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.mutate import mutate
from harness.core.errors import Refused, UsageError
from harness.core.poll import wait_until
from harness.database import limits
from harness.plan import Plan
from harness.scenario.mutate import equivalents, judging, mutants
from harness.scenario.mutate.model import Mutant, MutantResult
from harness.scenario.mutate.run import MutateSettings, document, run, words
from tests.harness.support import mutate_judges
from tests.harness.support.mutate_judges import sees_nothing
from tests.harness.support.pace import control
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

JUDGES = mutate_judges.__name__


@pytest.fixture(scope="module")
def every(harness_plan: Plan) -> tuple[Mutant, ...]:
    """The mutants of the reference plan."""
    return mutants.of_plan(harness_plan)


@pytest.fixture
def small(tmp_path: Path) -> SmallPlan:
    return SmallPlan(tmp_path / "plan")


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    """A place for temporary files whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="mu") as name:
        Path(name).chmod(0o777)  # the server's user writes there too
        yield Path(name)


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


# Equivalents.


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("[[equivalent]]\nmutants = ['x']\n", "needs a reason", 1),
        ("\n[[equivalent]]\nreason = 'why'\n", "list of ids", 2),
        ("[[equivalent]]\nmutants = ['x']\nreason = 'y'\nwhen = 1\n", "unknown key 'when'", 1),
        ("[equivalent\n", "not valid TOML", 1),
        ("\nother = 1\n", "unknown key 'other'", 1),
    ],
)
def test_malformed_equivalents_are_refused(text: str, said: str, line: int, tmp_path: Path) -> None:
    path = tmp_path / "equivalent.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said) as refused:
        equivalents.read(path)
    assert refused.value.where == f"{path}:{line}"


def test_an_equivalent_of_no_mutant_is_refused(small: SmallPlan) -> None:
    known = equivalents.Equivalent(("1.1/020_fill.*:drop-moon:*",), "why", "here:7")
    with pytest.raises(UsageError, match=r"no mutant '1\.1/020_fill") as refused:
        equivalents.refuse_stale((known,), mutants.of_plan(small.load()))
    assert refused.value.where == "here:7"


def test_an_equivalent_covers_by_id_and_by_what_its_diff_changes(small: SmallPlan) -> None:
    made = mutants.of_plan(small.load())
    entry = equivalents.Equivalent(("1.1/*:change-constant:*",), "why", "", diff="id bigint")
    assert not any(entry.covers(m) for m in made)
    entry = equivalents.Equivalent(("1.1/*:drop-part:*",), "why", "", diff="name text")
    assert [m.diff for m in made if entry.covers(m)]


# The run.


def settings(small: SmallPlan, judge: str, **more: object) -> MutateSettings:
    return MutateSettings(
        plan=small.root / "plan.toml", judge=f"{JUDGES}:{judge}", workers=1, **more
    )  # type: ignore[arg-type]


def test_a_judge_that_looks_sees_the_mutants_and_the_survivors_are_shown(small: SmallPlan) -> None:
    answer = run(settings(small, "sees_rows", only="1.1/010_column"))
    assert answer.killed > 5
    shown = "\n".join(words(answer))
    assert "PRIMARY KEY" in shown  # nobody looks at it in this judge
    for one in answer.survivors:
        assert one.diff.startswith("--- 1.1/010_column.")
    assert answer.score == round(100 * answer.killed / answer.mutants, 2)


def test_a_judge_that_looks_away_fails(small: SmallPlan) -> None:
    answer = run(settings(small, "sees_nothing", sample=2))
    assert (answer.verdict, answer.score) == ("fail", 0)


def test_a_judge_that_refuses_everything_proves_nothing(small: SmallPlan) -> None:
    with pytest.raises(Refused, match="small is not liked"):
        run(settings(small, "refuses_all"))


def test_a_judge_that_breaks_leaves_the_mutant_unknown(small: SmallPlan) -> None:
    answer = run(settings(small, "breaks", sample=1))
    assert answer.verdict == "fail"
    assert "KeyError" in answer.unknowns[0].reason


def test_the_same_seed_draws_the_same_mutants(small: SmallPlan) -> None:
    def drawn(seed: int) -> list[str]:
        answer = run(settings(small, "sees_nothing", sample=3, seed=seed))
        return sorted(one.id for one in answer.survivors)

    assert drawn(5) == drawn(5)


def test_a_plan_that_is_refused_is_seen(small: SmallPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_bounds", {})  # a judge bounds its process's sessions: here ours
    monkeypatch.setenv("PGOPTIONS", "")
    plan = small.load()
    mutant = next(
        m for m in mutants.of_plan(plan) if m.operator == "drop-where" and "020" in m.step
    )
    result = judging.judged(sees_nothing, "", plan, mutant)
    assert (result.outcome, result.by) == ("killed", "plan")
    assert "%(after)s" in result.reason


def declared(small: SmallPlan, pattern: str) -> None:
    small.write(
        equivalents.NAME, f"[[equivalent]]\nmutants = ['{pattern}']\nreason = 'nobody looks'\n"
    )


def test_equivalents_are_counted_apart_and_not_run(small: SmallPlan) -> None:
    declared(small, "1.2/*")
    answer = run(settings(small, "sees_nothing", only="1.2/"))
    assert answer.equivalent == answer.mutants > 0
    assert (answer.verdict, answer.score) == ("unknown", None)


def test_a_declared_equivalent_that_a_check_sees_is_refuted(small: SmallPlan) -> None:
    declared(small, "1.1/010_column.forward:*")
    answer = run(settings(small, "sees_rows", declared=True))
    assert answer.verdict == "fail"
    assert answer.survivors  # nobody looks at the primary key
    one = answer.refuted[0]
    assert (one.declared, bool(one.by), bool(one.reason)) == ("nobody looks", True, True)
    shown = words(answer)
    assert f"refuted: {one.id}" in shown
    assert shown[-1].startswith("equivalents: fail; ")


def test_a_declared_equivalent_that_no_check_sees_stands(small: SmallPlan) -> None:
    declared(small, "1.2/*")
    answer = run(settings(small, "sees_nothing", declared=True))
    assert (answer.verdict, answer.refuted) == ("pass", [])
    assert len(answer.survivors) == answer.equivalent == answer.mutants > 0


def test_a_declared_equivalent_that_could_not_be_judged_is_unknown(small: SmallPlan) -> None:
    declared(small, "1.2/*")
    answer = run(settings(small, "breaks", declared=True))
    assert answer.verdict == "unknown"
    assert "KeyError" in words(answer)[0]


def test_where_nothing_is_declared_the_trial_is_unknown(small: SmallPlan) -> None:
    assert run(settings(small, "sees_nothing", declared=True)).verdict == "unknown"


def test_score_counts_what_is_not_equivalent(small: SmallPlan) -> None:
    plan = small.load()
    some = mutants.of_plan(plan)[:4]
    outcomes: Iterator[str] = iter(("killed", "killed", "killed", "equivalent"))
    results = [MutantResult(m, outcome) for m, outcome in zip(some, outcomes, strict=True)]  # type: ignore[arg-type]
    answer = document(results, settings(small, "sees_rows"), plan, some, 1.0)
    assert (answer.score, answer.verdict) == (100, "pass")


# The command.


def test_command_prints_one_document_and_fails_below_the_score(small: SmallPlan) -> None:
    plan = str(small.root / "plan.toml")
    arguments = ["--plan", plan, "--json", "--sample", "1", "--workers", "1"]
    done = CliRunner().invoke(mutate, [*arguments, "--judge", f"{JUDGES}:sees_nothing"])
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert {"score", "mutants", "survivors", "seconds"} <= answer.keys()


def test_command_fails_when_a_declared_equivalent_is_refuted(small: SmallPlan) -> None:
    declared(small, "1.1/010_column.forward:*")
    arguments = ["--plan", str(small.root / "plan.toml"), "--json", "--workers", "1"]
    arguments += ["--equivalents", "--sample", "4", "--judge", f"{JUDGES}:sees_rows"]
    done = CliRunner().invoke(mutate, arguments)
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert answer["refuted"]
    assert answer["mutants"] == 4  # drawn from the declared ones


def test_workers_of_a_killed_command_end_with_it(small: SmallPlan, tmp_path: Path) -> None:
    judged_by = tmp_path / "judged_by"
    command = [sys.executable, "-m", "harness", "mutate", "--plan", str(small.root / "plan.toml")]
    environment = os.environ | {
        "JUDGED_BY": str(judged_by),
        "PYTHONPATH": str(Path(__file__).parents[4]),
    }
    with subprocess.Popen(
        [*command, "--judge", f"{JUDGES}:tells_who_judges"], env=environment
    ) as running:
        wait_until(lambda: judged_by.exists() and judged_by.read_text(), 120, "a worker at work")
        running.kill()
        assert running.wait() == -signal.SIGKILL
    wait_until(
        lambda: not any(Path("/proc", pid).exists() for pid in judged_by.read_text().split()),
        30,
        "the end of its workers",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_at_once_and_leaves_nothing(
    number: signal.Signals, small: SmallPlan, tmp_path: Path, short_tmp: Path
) -> None:
    judged_by = tmp_path / "judged_by"
    command = [sys.executable, "-m", "harness", "mutate", "--plan", str(small.root / "plan.toml")]
    environment = os.environ | {
        "JUDGED_BY": str(judged_by),
        "PYTHONPATH": str(Path(__file__).parents[4]),
        "TMPDIR": str(short_tmp),
    }
    with subprocess.Popen(
        [*command, "--judge", f"{JUDGES}:does_not_end", "--workers", "2"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        # one process says first that the plan is sound; two wait for what does not end
        wait_until(
            lambda: judged_by.exists() and len(set(judged_by.read_text().split())) == 3,
            120,
            "the workers at work",
        )
        assert list(short_tmp.iterdir())
        with control() as machine:
            began = time.monotonic()
            running.send_signal(number)
            _, said = running.communicate(timeout=60)
            took = time.monotonic() - began
    assert running.returncode == 5
    assert f"stopped by {number.name}" in said
    assert "Traceback" not in said
    assert took < 3 * machine.slowdown
    assert list(short_tmp.iterdir()) == []
    assert not [path for path in Path("/proc").glob("[0-9]*") if _asked(path, str(judged_by))]


def _asked(process: Path, word: str) -> bool:
    """Whether a process was started with the word in its environment."""
    try:
        return word in (process / "environ").read_bytes().decode("utf-8", "replace")
    except OSError:
        return False


def test_command_without_a_judge_says_so(small: SmallPlan) -> None:
    plan = str(small.root / "plan.toml")
    done = CliRunner().invoke(mutate, ["--plan", plan, "--judge", "nowhere:judge"])
    assert isinstance(done.exception, UsageError)
    assert "nowhere:judge" in str(done.exception)


def test_declared_equivalents_of_the_reference_plan_are_mutants_of_it(
    harness_plan: Plan, every: tuple[Mutant, ...]
) -> None:
    known = equivalents.read(harness_plan.root / equivalents.NAME)
    assert known
    equivalents.refuse_stale(known, every)  # raises
