"""What a dry run's evidence comes to, on evidence written by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.plan import DryRunRules, Script, Statement
from harness.scenario.dry_run import digest, judge
from harness.scenario.dry_run.digest import Digest
from harness.scenario.dry_run.estimate import read
from harness.scenario.dry_run.look import Look
from harness.scenario.dry_run.model import (
    Evidence,
    LockSeen,
    Ran,
    StatementSeen,
    StepSeen,
    Trouble,
)
from harness.scenario.dry_run.sampler import Samples

RULES = DryRunRules(max_lock=1.0)
START = datetime(2026, 1, 1, tzinfo=UTC)
MANY = ("public.deals", 9_000)
LOCK = LockSeen("public.deals", "AccessExclusiveLock", 0.01, line=3)
COLUMN = "phases/1.1_fill/010_column.forward.sql"


def step(**changes: object) -> StepSeen:
    plain = StepSeen(
        id="1.1/010_x",
        direction="forward",
        kind="transaction",
        file="010_x.forward.sql",
        began=0.0,
        seconds=0.1,
        rows=0,
        wal_bytes=0,
        temp_bytes=0,
        done=True,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def judged(*steps: StepSeen, differences: tuple[str, ...] | None = ()) -> dict[str, str]:
    """Finding id -> its severity."""
    evidence = Evidence((Ran("forward", steps, 1.0),), differences)
    return {one.id: one.severity for one in judge.findings(evidence, RULES)}


def statement(tag: str, line: int = 3, **changes: object) -> StatementSeen:
    return replace(StatementSeen(line, tag, tag), **changes)  # type: ignore[arg-type]


def test_locks_that_are_short_are_nothing_to_report() -> None:
    assert judged(step(locks=(LOCK,), statements=(statement("AlterTableStmt"),))) == {}


@pytest.mark.parametrize(
    ("seen", "identity", "severity"),
    [
        (statement("AlterTableStmt", rewritten=("public.deals",)), "rewrite", "critical"),
        (
            statement("AlterTableStmt", read=(MANY,)),
            "scan-under-lock",
            "critical",
        ),
        (
            statement("IndexStmt", read=(MANY,)),
            "index-stops-writers",
            "critical",
        ),
        (statement("AlterTableStmt", read=(("public.deals", 1),)), "scan-under-lock", "info"),
        (statement("IndexStmt", read=(("public.deals", 999),)), "index-stops-writers", "info"),
        (statement("UpdateStmt", read=(MANY,)), "reads-under-lock", "critical"),
    ],
)
def test_what_is_done_under_a_lock_that_stops_users_is_named(
    seen: StatementSeen, identity: str, severity: str
) -> None:
    assert judged(step(locks=(LOCK,), statements=(seen,))) == {f"dry-run.{identity}": severity}


def test_a_rollback_may_read_under_its_lock_and_a_step_forward_a_few_rows() -> None:
    many, few = (statement("SelectStmt", read=(("public.deals", n),)) for n in (1001, 1000))
    back = step(locks=(LOCK,), statements=(many,), direction="rollback")
    assert judged(back) == {"dry-run.reads-under-lock": "info"}
    assert judged(step(locks=(LOCK,), statements=(few,))) == {"dry-run.reads-under-lock": "info"}
    assert judged(step(locks=(LOCK,), statements=(many,))) == {
        "dry-run.reads-under-lock": "critical"
    }


def test_a_sleep_is_critical_only_while_users_wait() -> None:
    asleep = replace(statement("SelectStmt"), text="select pg_catalog.pg_sleep(1)")
    assert judged(step(locks=(LOCK,), statements=(asleep,))) == {"dry-run.sleeps": "critical"}
    assert judged(step(statements=(asleep,))) == {}


@pytest.mark.parametrize(
    ("kind", "direction", "rows", "found"),
    [
        ("transaction", "forward", 1001, {"dry-run.one-transaction": "critical"}),
        ("transaction", "forward", 1000, {}),
        ("transaction", "rollback", 1001, {}),
        ("batch", "forward", 1001, {}),
    ],
)
def test_many_rows_of_users_changed_in_one_transaction_are_critical(
    kind: str, direction: str, rows: int, found: dict[str, str]
) -> None:
    lock = LockSeen("public.deals", "RowExclusiveLock", 0.1, rows_changed=rows)
    assert judged(step(kind=kind, direction=direction, locks=(lock,))) == found


@pytest.mark.parametrize(
    "lock",
    [
        replace(LOCK, relation="public.others"),
        replace(LOCK, mode="ShareUpdateExclusiveLock"),
        replace(LOCK, line=4),
    ],
    ids=["another relation", "a lock that stops nobody", "a lock taken later"],
)
def test_a_scan_beside_a_lock_that_stops_nobody_then_is_no_finding(lock: LockSeen) -> None:
    seen = statement("AlterTableStmt", read=(MANY,))
    assert judged(step(locks=(lock,), statements=(seen,))) == {}


def test_a_lock_held_longer_than_the_plan_allows_is_critical() -> None:
    assert judged(step(locks=(replace(LOCK, seconds=1.1),))) == {"dry-run.lock-held": "critical"}


def test_rows_that_nobody_else_can_change_for_long_are_critical() -> None:
    rows = LockSeen("public.deals", "RowExclusiveLock", 1.1, rows_changed=7)
    assert judged(step(locks=(rows,))) == {"dry-run.lock-held": "critical"}
    assert judged(step(locks=(replace(rows, rows_changed=0),))) == {}


def test_rows_of_a_batch_are_only_told_since_the_runner_makes_batches_smaller() -> None:
    rows = LockSeen("public.deals", "RowExclusiveLock", 1.1, rows_changed=7)
    assert judged(step(kind="batch", locks=(rows,))) == {"dry-run.lock-held": "info"}
    assert judged(step(kind="batch", locks=(replace(LOCK, seconds=1.1),))) == {
        "dry-run.lock-held": "critical"
    }


def test_what_the_way_back_leaves_different_is_critical() -> None:
    assert judged(differences=("column x is absent",)) == {"dry-run.way-back": "critical"}


def test_what_was_not_seen_is_unknown_and_never_pass() -> None:
    not_proven = Evidence((), None, "it was migrated already")
    found = judge.findings(not_proven, RULES)
    assert [one.id for one in found] == ["dry-run.way-back-unknown"]
    assert judge.verdict(found, not_proven) == "unknown"
    uncounted = Evidence((Ran("forward", (step(locks=(replace(LOCK, rows_read=None),)),), 1),), ())
    assert judge.verdict((), uncounted) == "unknown"
    assert judge.verdict((), Evidence((), ())) == "pass"


def test_a_known_mistake_gets_a_hint_where_postgres_has_none() -> None:
    trouble = Trouble(
        "forward", "cannot use subquery in check constraint (SQLSTATE 0A000)", "x.sql:3", None,
        sqlstate="0A000",
    )  # fmt: skip
    evidence = Evidence((Ran("forward", (), 0, trouble),), ())
    (found,) = judge.findings(evidence, RULES)
    assert (found.id, found.where) == ("dry-run.step-failed", "x.sql:3")
    assert "use a trigger" in found.hint
    assert "0A000" in found.evidence


def look(
    number: int, at: float, *seen: tuple[str, str, bool, int, int], transaction: str = "1"
) -> Look:
    """A look that itself took half a second and 10 bytes of WAL."""
    return Look(
        number=number,
        statement=number,
        transaction=transaction,
        began=START + timedelta(seconds=at),
        ended=START + timedelta(seconds=at + 0.5),
        wal_began=number * 100,
        wal_ended=number * 100 + 10,
        seen=[list(one) for one in seen],
    )


def test_a_lock_counts_from_the_statement_that_took_it_without_the_looks() -> None:
    held = ("public.deals", "AccessExclusiveLock")
    looks = [
        look(0, 0),
        look(1, 1.5),
        look(2, 3, (*held, True, 0, 0)),
        look(3, 5.5, (*held, True, 40, 3)),
    ]
    script = Script(
        Path("x.sql"), "x.sql", "transaction",
        tuple(Statement(f"select {n}", n * 10, "SelectStmt") for n in (1, 2, 3)), "",
    )  # fmt: skip
    seen = Digest(looks)
    (lock,) = digest.locks(script, seen, 4.25, {}, counts=True)
    assert seen.spent == pytest.approx(2.0)
    assert lock.seconds == pytest.approx(1 + 2 + 0.25)  # statements 2 and 3, and the commit
    assert (lock.line, lock.rewrites, lock.rows_read, lock.rows_changed) == (20, True, 40, 3)
    first, second, third = digest.statements(script, seen)
    assert (first.locks, second.locks, third.locks) == ((), (held,), ())
    assert (second.rewritten, third.rewritten) == (("public.deals",), ())
    assert third.read == (("public.deals", 40),)
    assert [one.wal_bytes for one in (first, second, third)] == [90, 90, 90]


def test_of_several_transactions_the_longest_hold_counts() -> None:
    held = ("public.deals", "RowExclusiveLock", False, 0, 5)
    looks = [
        look(0, 0),
        look(1, 1.5, held),
        look(0, 10, transaction="2"),
        look(1, 13.5, held, transaction="2"),
    ]
    script = Script(Path("x.sql"), "x.sql", "batch", (Statement("update", 1, "UpdateStmt"),), "")
    (lock,) = digest.locks(script, Digest(looks), 0, {}, counts=True)
    assert lock.seconds == pytest.approx(3)
    assert digest.statements(script, Digest(looks))[0].runs == 2


def test_samples_measure_the_longest_stretch_without_a_gap() -> None:
    samples = Samples(0.1)
    for now, held in enumerate([True, True, True, False, True, True]):
        samples.add(now / 10, {(7, "ShareLock")} if held else set())
    assert samples.longest() == {(7, "ShareLock"): pytest.approx(0.3)}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{\n'x'}", "saved.json:2: is not JSON"),
        ("{}", "saved.json:1: is not what `harness dry-run"),
    ],
)
def test_a_file_that_is_no_dry_run_is_refused_with_its_line(
    tmp_path: Path, text: str, where: str
) -> None:
    (tmp_path / "saved.json").write_text(text)
    with pytest.raises(UsageError, match=where):
        read(tmp_path / "saved.json")
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "missing.json")
