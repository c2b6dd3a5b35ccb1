"""Clients on a real server: what they record and survive, and a stall seen by each witness."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.check.history import check_history
from harness.core.errors import InfrastructureError
from harness.core.poll import wait_until
from harness.database import admin
from harness.server import Server, choose
from harness.traffic.catalog_mix import mix_from_catalog
from harness.traffic.history import AnyRecord, History
from harness.traffic.mix import TrafficMix
from harness.traffic.server_log import let_log_waits, parse_log
from harness.traffic.victims import find_victims
from harness.traffic.workload import (
    WorkloadSettings,
    known_keys,
    operations_of,
    sessions_of,
    take_census,
    workload,
)
from tests.harness.support.runner import run_sql

SCHEMA = """
CREATE SCHEMA "Shop";
CREATE TABLE "Shop"."50% off" (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE, "the note" text, n int);
INSERT INTO "Shop"."50% off" ("the note", n) SELECT 'old ' || g, g FROM generate_series(1, 50) g;
CREATE TABLE "Shop".copied (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), note varchar(40));
INSERT INTO "Shop".copied (note) SELECT 'old' FROM generate_series(1, 50);
CREATE TABLE "Shop".empty (id bigint PRIMARY KEY, note text);
CREATE TABLE "Shop".listed (id bigint PRIMARY KEY, note text CHECK (note <> ''));
INSERT INTO "Shop".listed VALUES (1, 'x');
"""
BEHIND_US = """
SELECT 1 FROM pg_locks AS l WHERE NOT l.granted AND pg_backend_pid() = ANY(pg_blocking_pids(l.pid))
"""
SETTINGS = WorkloadSettings(100, 100, clients=2)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = choose("embedded", profile="durable")
    made.start()
    with admin.connection(made.dsn()) as conn:
        let_log_waits(conn)
    yield made
    made.close()


@pytest.fixture
def shop(server: Server) -> Iterator[str]:
    name = admin.unique_name("harness_shop")
    admin.create(server.dsn(), name)
    dsn = server.dsn(name)
    run_sql(dsn, SCHEMA)
    yield dsn
    admin.drop(server.dsn(), name)


class Recorded:
    """Clients at work on the shop, with everything that they record."""

    def __init__(self, dsn: str, place: Path) -> None:
        self.dsn, self.place, self.epoch = dsn, place, time.time() - time.monotonic()
        with admin.connection(dsn) as conn:
            self.mix: TrafficMix = mix_from_catalog(conn)
            self.censuses = take_census(conn, self.mix, "before")[0]
        self.records: list[AnyRecord] = []

    def written(self) -> int:
        return sum(path.read_bytes().count(b'"operation"') for path in self.place.iterdir())

    def run(self, during: Callable[[], object] | None, enough: int = 100) -> History:
        """Let clients work until enough was recorded before and after what is done meanwhile."""
        keys = known_keys(self.censuses)
        with workload(self.dsn, self.mix, keys, SETTINGS, self.place) as clients:
            wait_until(lambda: self.written() >= enough, 60, "operations before")
            if during is not None:
                during()
            done = self.written()
            wait_until(lambda: self.written() >= done + enough, 60, "operations after")
            self.records = clients.stop()
        with admin.connection(self.dsn) as conn:
            self.censuses += take_census(conn, self.mix, "end")[0]
        return History(
            operations_of(self.records),
            self.censuses,
            (),
            sessions_of(self.records),
            (),
            self.epoch,
        )


@pytest.fixture
def recorded(shop: str, tmp_path: Path) -> Recorded:
    return Recorded(shop, tmp_path)


def test_a_mix_is_made_of_every_table_that_can_be_used(recorded: Recorded) -> None:
    names = {one.name for one in recorded.mix.operations}
    assert names == {
        "read Shop.50% off", "update Shop.50% off",
        "read Shop.copied", "update Shop.copied", "copy Shop.copied",
    }  # fmt: skip
    assert not recorded.mix.promised


def test_a_database_at_rest_loses_nothing(recorded: Recorded) -> None:
    history = recorded.run(None)
    result = check_history(history)
    assert result.verdict == "pass", (result.findings, result.unknowns)
    assert result.counts["refused"] == result.counts["unknown"] == 0
    assert {one.kind for one in history.operations} == {"read", "update", "insert"}


def test_a_restored_row_is_a_lost_write(recorded: Recorded) -> None:
    def restore() -> None:
        run_sql(recorded.dsn, "UPDATE \"Shop\".copied SET note = 'old'")

    result = check_history(recorded.run(restore, enough=300))
    assert "history.lost" in {finding.id for finding in result.findings}
    assert {finding.where for finding in result.findings} == {"Shop.copied"}


def test_ended_sessions_come_back_and_their_writes_are_unknown(recorded: Recorded) -> None:
    def end() -> None:
        for _ in range(5):
            run_sql(
                recorded.dsn,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name LIKE 'client %' AND datname = current_database()",
            )

    history = recorded.run(end)
    assert check_history(history).verdict == "pass"
    assert len(history.sessions) > SETTINGS.clients * SETTINGS.processes


def stall(dsn: str) -> float:
    """Hold a table, as a runner would, until somebody has waited long; for how many seconds."""
    with psycopg.connect(dsn, application_name="harness runner") as conn:
        conn.execute('LOCK TABLE "Shop"."50% off" IN ACCESS EXCLUSIVE MODE')
        wait_until(lambda: conn.execute(BEHIND_US).fetchone(), 60, "a client to wait")
        begun = time.monotonic()
        conn.execute("SELECT pg_sleep(0.7)")
        return time.monotonic() - begun


def test_a_stall_is_seen_by_the_clients_and_by_the_log(recorded: Recorded, server: Server) -> None:
    offset = server.log_offset()

    history = recorded.run(lambda: stall(recorded.dsn))
    found = find_victims(history, parse_log(server.log(offset)))
    # On a busy machine a client waits for another one's row, too: that is no work of the runner's.
    victims = [victim for victim in found.victims if victim.by_runner]
    assert {victim.blocker for victim in victims} == {"harness runner"}
    assert found.disagreements == []
    longest = max(victims, key=lambda victim: victim.waited)
    assert longest.waited > 0.3
    assert longest.took is not None
    assert longest.took >= longest.waited - 0.02
    assert check_history(history).verdict == "pass"


def test_pgbench_and_the_log_see_the_same_stall(shop: str, server: Server, tmp_path: Path) -> None:
    """The third witness, which is not ours; it ends when its table is gone, and then has a log."""
    assert server.bin_dir is not None
    script = tmp_path / "script.sql"
    script.write_text('SELECT "the note" FROM "Shop"."50% off" WHERE id = 7;\n')
    offset = server.log_offset()
    pgbench = subprocess.Popen(
        [server.bin_dir / "pgbench", "--no-vacuum", f"--file={script}", "--client=2", "--rate=100",
         "--transactions=1000000", "--log", f"--log-prefix={tmp_path}/seen", shop],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        held = stall(shop)
        run_sql(shop, 'DROP TABLE "Shop"."50% off"')
        _, said = pgbench.communicate(timeout=60)
    finally:
        pgbench.kill()
        pgbench.wait()
    lines = [
        line.split() for path in tmp_path.glob("seen.*") for line in path.read_text().splitlines()
    ]
    assert lines, said
    log = parse_log(server.log(offset))
    waits = [each.seconds for each in log.waits if log.applications.get(each.pid) == "pgbench"]
    longest = max(int(line[2]) for line in lines) / 1e6
    assert held <= max(waits) <= longest + 0.02


def test_a_changed_result_is_refused_once_and_the_client_goes_on(recorded: Recorded) -> None:
    def change() -> None:
        run_sql(recorded.dsn, 'ALTER TABLE "Shop".copied ALTER note TYPE varchar(50)')

    history = recorded.run(change)
    states = {one.sqlstate for one in history.operations if one.outcome == "refused"}
    assert states == {"0A000"}
    last = [one for one in history.operations if one.table == "Shop.copied"][-10:]
    assert any(one.outcome == "acknowledged" for one in last)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"role": "nobody of that name"}, 'role "nobody of that name" does not exist'),
        ({"settings": {"no such setting": "x"}}, "no such setting"),
    ],
)
def test_clients_that_cannot_work_say_why(
    wrong: dict[str, Any], said: str, recorded: Recorded, tmp_path: Path
) -> None:
    mix = replace(recorded.mix, **wrong)
    with (
        pytest.raises(InfrastructureError, match=said),
        workload(recorded.dsn, mix, {}, SETTINGS, tmp_path),
    ):
        pass


def test_a_mix_without_reads_writes_all_the_time(recorded: Recorded) -> None:
    recorded.mix = replace(recorded.mix, operations=recorded.mix.writes)
    history = recorded.run(None, enough=30)
    assert {one.kind for one in history.operations} == {"update", "insert"}
    assert check_history(history).verdict == "pass"


def test_clients_of_a_closed_loop_send_as_soon_as_they_are_answered(recorded: Recorded) -> None:
    """At a rate of one operation in a minute an open loop would not come to an end here."""
    seldom = replace(SETTINGS, reads=0.01, writes=0.01, closed=True)
    with workload(
        recorded.dsn, recorded.mix, known_keys(recorded.censuses), seldom, recorded.place
    ) as clients:
        wait_until(lambda: recorded.written() >= 100, 60, "operations")
        operations = operations_of(clients.stop())
    by_client = [one for one in operations if one.client == operations[0].client]
    assert all(one.answered is not None for one in operations)
    assert all(late.planned >= (early.answered or 0) for early, late in pairwise(by_client)), (
        "sent before the answer"
    )


def test_held_clients_insert_nothing_and_go_on_with_the_rest(recorded: Recorded) -> None:
    keys = known_keys(recorded.censuses)
    with workload(recorded.dsn, recorded.mix, keys, SETTINGS, recorded.place) as clients:

        def more(of: bytes) -> int:
            return sum(path.read_bytes().count(of) for path in recorded.place.iterdir())

        def go_on(of: bytes, by: int) -> None:
            done = more(of)
            wait_until(lambda: more(of) >= done + by, 60, f"more of {of!r}")

        go_on(b'"insert"', 1)
        clients.hold_inserts(True)
        go_on(b'"operation"', 200)  # what was chosen before it was heard is over by then
        held = more(b'"insert"')
        go_on(b'"operation"', 100)
        assert more(b'"insert"') == held
        clients.hold_inserts(False)
        go_on(b'"insert"', 1)
        clients.stop()


def test_a_client_that_fails_is_heard(recorded: Recorded, tmp_path: Path) -> None:
    broken = replace(recorded.mix.operations[0], sql="SELECT 1 WHERE %(nobody)s = 1")
    mix = replace(recorded.mix, operations=(broken,))
    # It is heard where it fails: while the others connect, or at the end.
    with pytest.raises(InfrastructureError, match="nobody"):
        run_to_its_end(recorded.dsn, mix, tmp_path)


def run_to_its_end(dsn: str, mix: TrafficMix, place: Path) -> None:
    """Clients of a mix, until all of them have ended by themselves."""
    with workload(dsn, mix, {}, SETTINGS, place) as clients:
        ended = [process.poll for process in clients.processes]
        wait_until(lambda: all(poll() is not None for poll in ended), 60, "the clients to end")
        clients.stop()
