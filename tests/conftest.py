"""Which tests need a server."""

from __future__ import annotations

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
    "tests/harness/scenario/gate/test_suite_kinds.py::test_a_registered_suite_",
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

LONGEST = (
    "tests/harness/scenario/gate/test_sabotage.py",
    "tests/harness/crash/domain/test_wire.py",
    "tests/migration/test_sabotage.py",
    "tests/harness/crash/test_defects.py",
    "tests/harness/database/fingerprint/test_flips.py",
    "tests/harness/scenario/gate/",
    "tests/harness/crash/domain/",
    "tests/harness/scenario/live/",
    "tests/harness/installed/",
    "tests/harness/crash/",
    "tests/mutate_harness/",
    "tests/harness/pytest_plugin/",
    "tests/migration/",
    "tests/harness/scenario/",
)
"""How the node ids begin of the modules that take longest, the longest first.

A module stays on one worker: one that came late would be waited for by the others.
"""


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of the tests that `make test-fast` leaves out."""
    config.addinivalue_line(
        "markers",
        "server: needs a server; by itself where a test takes one of the plugin's fixtures, by name"
        " (OWN_SERVERS) or by hand where it starts one of its own",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server; the longest modules come first."""
    items.sort(key=place_of)  # within a module, and among the others, the order stays
    for item in items:
        takes_one = "harness_server" in getattr(item, "fixturenames", ())
        if takes_one or item.nodeid.startswith(OWN_SERVERS):
            item.add_marker("server")


def place_of(item: pytest.Item) -> int:
    """Where the module of a test stands among the longest; behind them all if it is none."""
    return next(
        (place for place, begins in enumerate(LONGEST) if item.nodeid.startswith(begins)),
        len(LONGEST),
    )
