"""What the kernel counts of a server's processes, from files written by hand and from the real."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from harness.core.poll import wait_until
from harness.server import Server
from harness.traffic.starvation import ProcessLooks, StarvationWitness
from harness.traffic.victims import Victim, waited_by_step

POSTMASTER, BACKEND = 100, 200


def test_only_what_surely_fell_into_a_wait_is_excused() -> None:
    witness = StarvationWitness(lambda: POSTMASTER)
    witness.processes[BACKEND] = ProcessLooks([10.0, 10.1, 10.2, 10.3], [1.0, 1.0, 1.08, 1.5])
    assert witness.starved(BACKEND, 9.0, 10.25) == pytest.approx(0.08)
    assert witness.starved(BACKEND, 10.15, 10.25) == 0.0  # it was looked at only once
    assert witness.starved(BACKEND, 10.2, 10.3) == pytest.approx(0.1)  # at most all of it
    assert witness.starved(300, 9.0, 11.0) == 0.0  # it was never seen


def test_the_kernels_count_is_in_nanoseconds(tmp_path: Path) -> None:
    """Of a process whose file is gone nothing is known; the others are looked at all the same."""
    folder = tmp_path / str(POSTMASTER) / "task" / str(POSTMASTER)
    folder.mkdir(parents=True)
    (folder / "children").write_text(f"300 {BACKEND} ")
    (tmp_path / str(BACKEND)).mkdir()
    (tmp_path / str(BACKEND) / "schedstat").write_text("5000 250000000 3\n")
    witness = StarvationWitness(lambda: POSTMASTER, tmp_path)
    witness.look()
    witness.look()  # too soon
    assert {pid: each.waited for pid, each in witness.processes.items()} == {BACKEND: [0.25]}


@pytest.mark.parametrize("postmaster", [None, POSTMASTER])
def test_a_machine_without_the_count_excuses_nothing(
    postmaster: int | None, tmp_path: Path
) -> None:
    witness = StarvationWitness(lambda: postmaster, tmp_path)
    witness.look()
    assert witness.starved(BACKEND, 0.0, 1e9) == 0.0


def test_a_real_backend_is_seen(harness_server: Server, harness_empty_database: str) -> None:
    witness = StarvationWitness(lambda: harness_server.pid)
    visible = harness_server.pid is not None and Path("/proc/self/schedstat").exists()
    with psycopg.connect(harness_empty_database) as conn:

        def seen() -> bool:
            witness.look()
            return conn.info.backend_pid in witness.processes

        if visible:
            wait_until(seen, 60, "the backend to be looked at")
        else:
            assert not seen()


def test_the_sum_of_waits_has_a_twin_without_starvation() -> None:
    one = Victim(
        client=1, operation="edit", kind="update", table="t", direction="forward", step="1/010",
        step_kind="transaction", waited=0.6, took=0.6, lock="ShareLock on t",
        blocker="harness runner", by_runner=True, starved=0.4,
    )  # fmt: skip
    assert waited_by_step([one, one]) == {("forward", "1/010"): 1.2}
    found = waited_by_step([one, one], undisturbed=True)
    assert found == {("forward", "1/010"): pytest.approx(0.4)}
