"""Which tests need a server, and which are alone on it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OWN_SERVERS = (
    "tests/harness/check/test_preflight.py::test_a_slot_and_a_prepared_transaction_are_seen",
    "tests/harness/cli/test_crash_command.py",
    "tests/harness/cli/test_crash_foreign.py",
    "tests/harness/cli/test_live_command.py",
    "tests/harness/cli/test_readme.py::test_by_hand_runs_as_it_stands",
    "tests/harness/cli/test_states_of_databases.py::test_a_standby_",
    "tests/harness/core/test_interrupt.py",
    "tests/harness/core/test_writable.py::test_a_command_names_what_it_could_not_write",
    "tests/harness/crash/domain/test_wal.py",
    "tests/harness/crash/test_faults.py::test_a_failure_is_repeated_by_the_line",
    "tests/harness/crash/test_faults.py::test_room_is_asked_for_by_the_number_of_workers",
    "tests/harness/crash/test_faults.py::test_the_command_strikes_the_named_faults_alone",
    "tests/harness/crash/test_registry.py::test_a_registered_domain_is_explored",
    "tests/harness/database/fingerprint/test_fingerprint.py::test_a_standby_",
    "tests/harness/database/test_dump.py",
    "tests/harness/installed/",
    "tests/harness/pytest_plugin/test_session.py",
    "tests/harness/runner/test_disasters.py",
    "tests/harness/runner/test_throttle.py",
    "tests/harness/scenario/dry_run/test_copies.py",
    "tests/harness/scenario/gate/test_ends.py",
    "tests/harness/scenario/gate/test_existing.py",
    "tests/harness/scenario/gate/test_gate.py",
    "tests/harness/scenario/gate/test_left_out.py",
    "tests/harness/scenario/gate/test_people.py",
    "tests/harness/scenario/gate/test_progress.py",
    "tests/harness/scenario/gate/test_sabotage.py",
    "tests/harness/scenario/live/",
    "tests/harness/scenario/mutate/test_equivalents.py",
    "tests/harness/scenario/mutate/test_mutate.py",
    "tests/harness/server/test_choice.py::test_an_existing_server_",
    "tests/harness/server/test_choice.py::test_root_drops_privileges",
    "tests/harness/server/test_container.py",
    "tests/harness/server/test_dsn.py::test_a_server_that_refuses_our_client",
    "tests/harness/server/test_dsn.py::test_the_shells_variables_reach_no_server",
    "tests/harness/server/test_local.py",
    "tests/harness/server/test_owner.py",
    "tests/harness/traffic/test_workload.py",
)
"""How the node ids begin of tests that start a server and take none of the plugin's fixtures."""

ALONE = (
    "tests/harness/scenario/dry_run/test_command.py",
    "tests/harness/scenario/dry_run/test_dry_run.py",
    "tests/harness/scenario/dry_run/test_estimate.py",
    "tests/harness/scenario/dry_run/test_mistakes.py",
    "tests/harness/scenario/dry_run/test_way_back.py",
)
"""Modules that say nothing was changed on the server: no other worker's test is at work there."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of the tests that `make test-fast` leaves out."""
    config.addinivalue_line(
        "markers",
        "server: needs a server; by itself where a test takes one of the plugin's fixtures, by name"
        " (OWN_SERVERS) or by hand where it starts one of its own",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server."""
    for item in items:
        takes_one = "harness_server" in getattr(item, "fixturenames", ())
        if takes_one or item.nodeid.startswith(OWN_SERVERS):
            item.add_marker("server")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Keep the other workers' tests off the shared server while one of ALONE is at work."""
    worker = getattr(item.config, "workerinput", None)  # xdist's way to tell a worker its run
    if worker is None or not item.get_closest_marker("server"):
        return (yield)
    how = fcntl.LOCK_EX if item.nodeid.startswith(ALONE) else fcntl.LOCK_SH
    build = item.config.rootpath / "build"
    build.mkdir(exist_ok=True)
    # By the run: a test may start another one below its own lock.
    turn, server = (build / f"{worker['testrunuid']}.{name}" for name in ("turn", "server"))
    with locked(turn, fcntl.LOCK_EX) as mine, locked(server, how):
        # Who waits for the server keeps the turn: nobody overtakes him again and again.
        fcntl.flock(mine, fcntl.LOCK_UN)
        return (yield)


@contextmanager
def locked(path: Path, how: int) -> Iterator[int]:
    """Hold a lock on a file; a worker that dies lets it go."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, how)
        yield handle
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)  # a child may have inherited the handle
        os.close(handle)
