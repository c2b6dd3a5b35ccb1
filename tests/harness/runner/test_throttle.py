"""Batches wait while a signal is above its limit, and while it cannot be seen."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness import runner
from harness.core.errors import Refused, Stopped, UsageError
from harness.core.poll import wait_until
from harness.database import admin
from harness.observe import host, load_signals
from harness.observe.load_signals import Reading
from harness.observe.signals import all_signals
from harness.plan import Plan, RunnerSettings
from harness.runner import batch_step, throttle
from harness.runner.batch_step import Sizer
from harness.runner.outcome import Event
from tests.harness.support.runner import WAIT, SmallPlan, ask, prepared_to_fill, run_sql
from tests.harness.support.standby import Pair, pair

LAG = "max_replication_lag_bytes"
LIMIT = 'throttle_limit = "300ms"'
ACTIVE = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND state = 'active' AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
def both() -> Iterator[Pair]:
    provider = os.environ.get("HARNESS_SERVER", "embedded")
    with pair(provider if provider in ("embedded", "system") else "embedded") as made:
        yield made


@pytest.fixture
def replicated(both: Pair) -> Iterator[str]:
    """DSN of a database of its own on the primary, with the standby at work."""
    name = admin.unique_name("throttle")
    admin.create(both.primary.dsn(), name)
    yield both.primary.dsn(name)
    admin.drop(both.primary.dsn(), name)


def small(root: Path, dsn: str, *settings: str) -> Plan:
    """The small plan with these lines in [runner], and its database before the batches."""
    prepared_to_fill(root, dsn)
    return limited(root, *settings)


def limited(root: Path, *settings: str) -> Plan:
    plan = SmallPlan(root)
    plan.replace("plan.toml", "adaptive = false", "\n".join(("adaptive = false", *settings)))
    return plan.load()


def filled(dsn: str) -> int:
    return int(ask(dsn, "SELECT count(upper_name) FROM public.things"))


class Held:
    """Hears a run: what its batches waited for, and what is to happen then."""

    def __init__(self, relieve: Any) -> None:
        self.words = list[str]()
        self.kinds = list[str]()
        self._relieve = relieve

    def __call__(self, event: Event) -> None:
        self.kinds.append(event.kind)
        if event.kind == "throttled":
            if not self.words:
                self._relieve()
            self.words.append(event.message)


def after_a_batch(strike: Any, held: Held) -> Any:
    """Listens like `held`, and strikes once, after the first batch."""
    struck = list[bool]()

    def listen(event: Event) -> None:
        held(event)
        if event.kind == "batch" and not struck:
            struck.append(True)
            strike()

    return listen


def killed(both: Pair) -> None:
    both.standby.kill()
    both.until_gone()


@pytest.mark.parametrize("how", ["killed", "cut off"])
def test_batches_wait_while_a_standby_is_gone(
    how: str, both: Pair, replicated: str, tmp_path: Path
) -> None:
    plan = small(tmp_path, replicated, f"{LAG} = 1000000000")
    strike, relieve = {
        "killed": (lambda: killed(both), both.standby.start),
        "cut off": (both.cut, both.mend),
    }[how]
    held = Held(relieve)
    told = after_a_batch(strike, held)
    assert runner.migrate(replicated, plan, on_event=told).state == "migrated"
    (words,) = held.words
    assert words == f"the replication lag is not known: standby migration-harness is gone ({LAG})"
    at = held.kinds.index("throttled")
    assert held.kinds[at - 1 : at + 2] == ["batch", "throttled", "throttle_ended"]
    assert filled(replicated) == 1000
    both.until_streaming()


def test_batches_wait_while_the_replay_stands_still(
    both: Pair, replicated: str, tmp_path: Path
) -> None:
    plan = small(tmp_path, replicated, f"{LAG} = 20000")
    both.until_equal()
    held = Held(lambda: run_sql(both.standby.dsn(), "SELECT pg_wal_replay_resume()"))
    pausing = after_a_batch(
        lambda: run_sql(replicated, "CREATE TABLE public.noise AS SELECT generate_series(1, 5000)"),
        held,
    )
    run_sql(both.standby.dsn(), "SELECT pg_wal_replay_pause()")
    assert runner.migrate(replicated, plan, on_event=pausing).state == "migrated"
    assert held.words
    assert held.words[0].startswith("standby migration-harness is ")
    assert held.words[0].endswith(" bytes behind (max_replication_lag_bytes = 20000)")


def test_a_gone_standby_stops_the_run_after_its_limit_and_it_resumes(
    both: Pair, replicated: str, tmp_path: Path
) -> None:
    plan = small(tmp_path, replicated, f"{LAG} = 1000000000", 'throttle_limit = "1ms"')
    with pytest.raises(Stopped, match=r"held back for 0\.001 s: .* is gone") as stopped:
        runner.migrate(
            replicated, plan, on_event=after_a_batch(lambda: killed(both), Held(lambda: None))
        )
    assert stopped.value.exit_status == 5
    try:
        with pytest.raises(Refused, match=r"no standby is connected, and the plan holds batches"):
            runner.migrate(replicated, plan)
        assert 0 < filled(replicated) < 1000
    finally:
        both.standby.start()
        both.until_streaming()
    assert runner.migrate(replicated, plan).state == "migrated"


def test_a_slot_whose_standby_is_away_is_a_missed_standby(both: Pair) -> None:
    dsn = both.primary.dsn()
    ask(dsn, "SELECT pg_create_physical_replication_slot('away', true)::text")
    try:
        with psycopg.connect(dsn, autocommit=True) as conn:
            read = load_signals.ReplicationLag().read(conn)
            assert "the standby of replication slot away is away" in read.blind
            assert load_signals.SlotBacklog().read(conn).value is not None
    finally:
        ask(dsn, "SELECT pg_drop_replication_slot('away')::text")


def test_a_standby_that_answers_no_more_is_blind_after_a_while(both: Pair) -> None:
    clock = [0.0]
    lag = load_signals.ReplicationLag(lambda: clock[0])
    receiver = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walreceiver'"
    walreceiver = ask(both.standby.dsn(), receiver)
    os.kill(walreceiver, signal.SIGSTOP)
    try:
        with psycopg.connect(both.primary.dsn(), autocommit=True) as conn:
            while lag.read(conn).blind == "" and clock[0] < 2000:
                clock[0] += load_signals.SILENT + 1
            assert "has not answered for 45 s" in lag.read(conn).blind
    finally:
        os.kill(walreceiver, signal.SIGCONT)


@pytest.mark.parametrize(
    ("key", "limit", "grant"),
    [(LAG, "1", "pg_read_all_stats"), ("max_active_sessions", "1", "pg_read_all_stats")],
)
def test_a_role_that_cannot_see_is_refused_before_anything_is_written(
    key: str, limit: str, grant: str, both: Pair, replicated: str, tmp_path: Path
) -> None:
    name, dsn = admin.unique_name("blind"), both.primary.dsn()
    run_sql(dsn, f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    try:
        run_sql(dsn, f"ALTER DATABASE {admin.dbname(replicated)} OWNER TO {name}")
        run_sql(replicated, f"ALTER SCHEMA public OWNER TO {name}")
        runner.baseline(replicated, plan := limited(tmp_path, f"{key} = {limit}"))
        run_sql(replicated, f"ALTER TABLE public.things OWNER TO {name}")
        as_role = psycopg.conninfo.make_conninfo(replicated, user=name, password="x")
        with pytest.raises(Refused, match=rf"hidden from role {name}.*GRANT {grant} TO {name}"):
            runner.migrate(as_role, plan)
        assert ask(replicated, "SELECT to_regnamespace('migration_control')::text") is None
        run_sql(dsn, f"GRANT {grant} TO {name}")
        looser = limited(tmp_path / "looser", f"{key} = 1000000000")
        assert runner.migrate(as_role, looser).state == "migrated"
    finally:
        run_sql(replicated, f"REASSIGN OWNED BY {name} TO postgres; DROP OWNED BY {name}")
        run_sql(dsn, f"DROP ROLE {name}")


def test_what_was_hidden_meanwhile_holds_the_run_after_three_looks(
    both: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = RunnerSettings(max_active_sessions=1)
    with psycopg.connect(both.primary.dsn(), autocommit=True) as conn:
        conn.execute("SET track_activities = off")
        (found,) = throttle.reasons(conn, settings, (load_signals.ActiveSessions(),))
    assert found.blind
    assert "track_activities is off (max_active_sessions)" in found.words


def test_all_reasons_are_told_with_signal_value_and_limit(harness_empty_database: str) -> None:
    settings = RunnerSettings(max_active_sessions=1, max_commit_latency=1e-9)
    with (
        busy(harness_empty_database, 2),
        psycopg.connect(harness_empty_database, autocommit=True) as conn,
    ):
        found = throttle.reasons(conn, settings, all_signals())
    words = throttle.listed(found)
    assert words.startswith("2 other sessions are active (max_active_sessions = 1); a commit takes")
    assert words.endswith(" ms (max_commit_latency = 1e-09)")


def test_a_throttle_holds_batches_back_until_its_limit(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = small(tmp_path, harness_empty_database, "max_active_sessions = 1", LIMIT)
    told = list[Event]()
    with (
        busy(harness_empty_database, 2),
        pytest.raises(Stopped, match=r"2 other sessions are active"),
    ):
        runner.migrate(harness_empty_database, plan, on_event=told.append)
    kinds = [event.kind for event in told]
    assert "throttled" in kinds
    assert "batch" not in kinds
    noted = "SELECT message FROM migration_control.event WHERE kind = 'throttled'"
    assert ask(harness_empty_database, noted).startswith("2 other sessions")
    assert runner.migrate(harness_empty_database, plan).state == "migrated"


@contextmanager
def busy(dsn: str, count: int) -> Iterator[None]:
    """So many sessions that execute for the length of the block."""
    with ExitStack() as undo:
        for _ in range(count):
            conn = psycopg.connect(dsn, autocommit=True)
            undo.callback(conn.close)
            conn.pgconn.send_query(b"SELECT pg_catalog.pg_sleep(600)")
            conn.pgconn.flush()
            undo.callback(conn.cancel_safe)
        wait_until(lambda: ask(dsn, ACTIVE) == count, WAIT, "busy sessions")
        yield


def test_the_server_is_asked_and_no_signal_is_looked_at_by_default(
    harness_empty_database: str,
) -> None:
    signals = all_signals()
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        assert throttle.reasons(conn, RunnerSettings(), signals) == []
        wal = load_signals.WalRate()
        assert wal.read(conn) == Reading()
        conn.execute("CREATE TABLE public.x AS SELECT generate_series(1, 1000)")
        assert (wal.read(conn).value or 0) > 0
        assert load_signals.SlotBacklog().read(conn).blind == ""
        assert (load_signals.CommitLatency().read(conn).value or 0) > 0


def test_an_archive_that_is_off_is_blind_and_one_that_fails_has_a_backlog(both: Pair) -> None:
    dsn = both.primary.dsn()
    with psycopg.connect(dsn, autocommit=True) as conn:
        off = load_signals.ArchiveBacklog().read(conn)
    assert off.blind == "no WAL is archived: archive_mode is off"
    run_sql(dsn, "ALTER SYSTEM SET archive_mode = on")
    run_sql(dsn, "ALTER SYSTEM SET archive_command = 'false'")
    both.primary.restart()
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("SELECT pg_logical_emit_message(false, 'x', 'x'), pg_switch_wal()")
        assert load_signals.ArchiveBacklog().read(conn).value == 1
    both.until_streaming()


def test_batches_are_smaller_after_they_were_held_back() -> None:
    sizer = Sizer(RunnerSettings(batch_rows=1000, batch_min_rows=300), None)
    sizer.held()
    assert sizer.rows == 500
    sizer.held()
    assert sizer.rows == 300
    fixed = Sizer(RunnerSettings(adaptive=False), 700)
    fixed.held()
    assert fixed.rows == 700


def test_disk_and_load_are_seen_on_the_servers_host_and_nowhere_else(
    both: Pair, tmp_path: Path
) -> None:
    settings = RunnerSettings(min_free_disk_bytes=2**60, max_host_load_percent=50)
    busy_host = host.HostLoad(lambda: (1e6, 0.0, 0.0))
    with psycopg.connect(both.primary.dsn(), autocommit=True) as conn:
        disk, load = throttle.reasons(conn, settings, (host.FreeDisk(), busy_host))
        enough = RunnerSettings(min_free_disk_bytes=1, max_host_load_percent=2**60)
        assert throttle.reasons(conn, enough, (host.FreeDisk(), busy_host)) == []
        directory, started, _ = conn.execute(host.FACTS).fetchone() or ()
    assert disk.words.endswith(
        f"bytes are free on the server's disk (min_free_disk_bytes = {2**60:g})"
    )
    assert load.words.startswith("the host's load is ")
    assert host.is_here(directory, started)
    (tmp_path / "postmaster.pid").write_text(f"1\n{directory}\n{started + 60}\n")
    assert not host.is_here(str(tmp_path), started), "the same path on another machine"


def test_a_disk_that_is_hidden_is_not_empty_and_not_free(both: Pair) -> None:
    name, dsn = admin.unique_name("blind"), both.primary.dsn()
    run_sql(dsn, f"CREATE ROLE {name}")
    try:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(f"SET ROLE {name}".encode())
            hidden = host.FreeDisk().read(conn)
        assert hidden.value is None
        assert hidden.cure == f"GRANT pg_read_all_settings TO {name}"
    finally:
        run_sql(dsn, f"DROP ROLE {name}")


def test_a_signal_that_flaps_neither_starves_a_run_nor_is_left_open(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = small(tmp_path, harness_empty_database, "max_active_sessions = 1")
    kinds = list[str]()
    with busy(harness_empty_database, 1), psycopg.connect(harness_empty_database) as moment:

        def flap(event: Event) -> None:
            kinds.append(event.kind)
            if event.kind == "batch":  # a second one, for a tenth of a second
                while moment.pgconn.get_result() is not None:
                    continue
                moment.pgconn.send_query(b"SELECT pg_catalog.pg_sleep(0.1)")
                moment.pgconn.flush()

        # not the index: that waits for the busy session's snapshot
        runner.migrate(harness_empty_database, plan, until="1.1", on_event=flap)
        while moment.pgconn.get_result() is not None:
            continue
    assert filled(harness_empty_database) == 1000
    assert kinds.count("throttled") == kinds.count("throttle_ended")


@pytest.mark.parametrize(("header", "share"), [("", 100), ("-- duty: 25%\n", 25)])
def test_a_step_rests_after_each_batch_by_its_duty(
    header: str, share: int, tmp_path: Path, harness_empty_database: str, monkeypatch: Any
) -> None:
    plan = SmallPlan(tmp_path)
    plan.replace(
        "phases/1.1_fill/020_fill.forward.sql", "-- kind: batch\n", f"-- kind: batch\n{header}"
    )
    prepared_to_fill_of(plan, harness_empty_database)
    rests, batches = list[float](), list[Event]()
    monkeypatch.setattr(batch_step, "pause", lambda seconds, _: rests.append(seconds))

    def listen(event: Event) -> None:
        batches.extend([event] if event.kind == "batch" else [])

    runner.migrate(harness_empty_database, plan.load(), on_event=listen)
    assert plan.load().step("1.1/020_fill").forward.duty == share
    assert len(rests) == len(batches) - 1
    assert all((one > 0) == (share < 100) for one in rests)


def prepared_to_fill_of(plan: SmallPlan, dsn: str) -> None:
    runner.baseline(dsn, plan.load())
    runner.migrate(dsn, plan.load(), until="1.1/010_column")


def test_a_duty_is_a_share_of_the_time() -> None:
    assert batch_step.rest(2.0, 100) == 0.0
    assert batch_step.rest(2.0, 25) == 6.0


@pytest.mark.parametrize("header", ["duty: 0%", "duty: 101%", "kind: transaction\n-- duty: 50%"])
def test_a_duty_that_is_none_is_refused_by_file_and_line(header: str, tmp_path: Path) -> None:
    plan = SmallPlan(tmp_path)
    plan.write("phases/1.1_fill/010_column.forward.sql", f"-- {header}\nSELECT 1;\n")
    with pytest.raises(UsageError, match="duty is the share of its time") as refused:
        plan.load()
    assert "010_column.forward.sql:" in str(refused.value.where)
