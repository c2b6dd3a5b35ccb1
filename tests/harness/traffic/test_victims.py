"""Victims by the log and by the clients: step, statement, blocker, and never the queue."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.traffic.history import History, Operation, StepWindow, WorkloadSession
from harness.traffic.server_log import parse_log
from harness.traffic.victims import find_victims, waited_by_step

EPOCH = datetime(2026, 1, 1, 10, tzinfo=UTC).timestamp()
RUNNER, CLIENT, OTHER, REPORT = 50, 61, 62, 70


def line(at: float, pid: int, text: str) -> str:
    when = datetime.fromtimestamp(EPOCH + at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return f"{when} UTC [{pid}] app@shop {text}\n"


def named(pid: int, name: str) -> str:
    text = f"connection authorized: user=app database=shop application_name={name}"
    return line(0, pid, f"LOG:  {text}")


def waited(
    pid: int, since: float, ms: int, lock: str, holders: str, queue: str, statement: str
) -> str:
    begun = line(since + 0.05, pid, f"LOG:  process {pid} still waiting for {lock} after 50.1 ms")
    plural = "es" if "," in holders else ""
    detail = f"DETAIL:  Process{plural} holding the lock: {holders}. Wait queue: {queue}."
    done = line(since + ms / 1000, pid, f"LOG:  process {pid} acquired {lock} after {ms}.000 ms")
    return (
        begun + line(since + 0.05, pid, detail)
        + line(since + 0.05, pid, f"STATEMENT:  {statement}") + done
    )  # fmt: skip


NAMES = (
    named(RUNNER, "harness runner")
    + named(REPORT, "monthly report")
    + named(CLIENT, "client 1")
    + named(OTHER, "client 2")
)
A = "AccessShareLock on relation 16385 of database 5"
STEPS = [
    StepWindow(
        direction="forward", step="1/010", kind="transaction", begun=0.9, done=2.0, ended=2.5
    ),
    StepWindow(direction="forward", step="1/020", kind="batch", begun=2.5, done=4.0, ended=5.0),
]


def history(*operations: tuple[int, float, float]) -> History:
    done = [
        Operation(
            client=client, name="read orders", kind="read", table="shop.orders", key="1",
            planned=sent, sent=sent, answered=answered, outcome="acknowledged",
        )
        for client, sent, answered in operations
    ]  # fmt: skip
    sessions = [
        WorkloadSession(client=1, since=0.0, pid=CLIENT),
        WorkloadSession(client=2, since=0.0, pid=OTHER),
    ]
    return History(done, sessions=sessions, steps=STEPS, epoch=EPOCH)


def test_a_victim_has_its_step_and_its_blocker() -> None:
    log = NAMES + waited(CLIENT, 1.0, 600, A, str(RUNNER), str(CLIENT), "select\n\t1")
    found = find_victims(history((1, 1.0, 1.61)), parse_log(log), {"16385": "shop.orders"})
    (victim,) = found.victims
    assert (victim.direction, victim.step, victim.blocker) == ("forward", "1/010", "harness runner")
    assert victim.lock == "AccessShareLock on shop.orders"
    assert victim.statement == "select 1"
    assert round(victim.waited, 3) == 0.6
    assert victim.by_runner
    assert found.disagreements == []


def test_the_queue_is_not_the_culprit() -> None:
    """A report holds the table, the runner queues for it, a client behind the runner."""
    log = (
        NAMES
        + waited(RUNNER, 0.9, 900, "AccessExclusiveLock on relation 16385 of database 5",
                 str(REPORT), str(RUNNER), "ALTER TABLE shop.orders ADD x int")
        + waited(CLIENT, 1.0, 800, A, str(REPORT), f"{RUNNER}, {CLIENT}", "select 1")
    )  # fmt: skip
    (victim,) = find_victims(history((1, 1.0, 1.81)), parse_log(log)).victims
    assert victim.blocker == "monthly report"
    assert victim.behind == "ALTER TABLE shop.orders ADD x int"
    assert victim.by_runner


def test_who_waits_for_another_client_is_no_victim_of_the_step() -> None:
    log = NAMES + waited(CLIENT, 1.0, 600, A, str(OTHER), str(CLIENT), "select 1")
    found = find_victims(history((1, 1.0, 1.61)), parse_log(log))
    assert [victim.by_runner for victim in found.victims] == [False]
    assert waited_by_step(found.victims) == {}


def test_waits_for_the_locks_of_a_step_are_summed_by_client() -> None:
    b = "AccessShareLock on relation 16399 of database 5"
    log = (
        NAMES
        + waited(CLIENT, 1.0, 300, A, str(RUNNER), str(CLIENT), "select 1")
        + waited(CLIENT, 1.4, 300, b, str(RUNNER), str(CLIENT), "select 2")
        + waited(OTHER, 1.0, 400, A, f"{RUNNER}, {REPORT}", str(OTHER), "select 1")
    )
    found = find_victims(history((1, 1.0, 1.31), (1, 1.4, 1.71), (2, 1.0, 1.41)), parse_log(log))
    sums = {key: round(seconds, 3) for key, seconds in waited_by_step(found.victims).items()}
    assert sums == {("forward", "1/010"): 0.6}


def test_waits_for_two_batches_are_not_summed() -> None:
    """Each has a session of its own, and the client went on in between."""
    again = RUNNER + 1
    log = (
        NAMES
        + named(again, "harness runner")
        + waited(CLIENT, 2.6, 300, A, str(RUNNER), str(CLIENT), "select 1")
        + waited(CLIENT, 3.0, 400, A, str(again), str(CLIENT), "select 1")
    )
    found = find_victims(history((1, 2.6, 2.91), (1, 3.0, 3.41)), parse_log(log))
    sums = {key: round(seconds, 3) for key, seconds in waited_by_step(found.victims).items()}
    assert sums == {("forward", "1/020"): 0.4}


def test_witnesses_that_differ_are_said() -> None:
    log = NAMES + waited(CLIENT, 1.0, 600, A, str(RUNNER), str(CLIENT), "select 1")
    found = find_victims(history((1, 1.0, 1.2)), parse_log(log))
    assert found.victims == []
    assert "client 1 wait 600 ms" in found.disagreements[0]


def test_a_wait_that_never_ended_is_kept() -> None:
    log = NAMES + waited(CLIENT, 1.0, 600, A, str(RUNNER), str(CLIENT), "select 1")
    cut = "".join(part for part in log.splitlines(keepends=True) if "acquired" not in part)
    (wait,) = parse_log(cut).waits
    assert (wait.acquired, round(wait.seconds, 4)) == (False, 0.0501)


def test_a_log_of_something_else_has_no_waits() -> None:
    said = "FATAL:  the database system is starting up\n\tprocess 1 still waiting for x\n"
    assert parse_log(line(0, 1, said) + "garbage \x00 \n\n").waits == []
