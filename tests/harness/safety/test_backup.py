"""A backup counts when it was restored and compared."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from harness import runner
from harness.core.poll import wait_until
from harness.database import admin, fingerprint, witness
from harness.plan import Plan
from harness.safety import identity, manifest
from harness.safety.backup import backup, restore
from tests.harness.support.backup import major, scratches, taken
from tests.harness.support.runner import ask, run_sql

if TYPE_CHECKING:
    from harness.server import Server


@contextmanager
def writing(dsn: str) -> Iterator[Callable[[], int]]:
    """Somebody who goes on inserting rows, one transaction each; gives how many so far."""
    stop, count = threading.Event(), 0

    def write() -> None:
        nonlocal count
        with psycopg.connect(dsn, autocommit=True) as conn:
            while not stop.is_set():
                conn.execute("INSERT INTO public.things (name) VALUES ('meanwhile')")
                count += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield lambda: count
    finally:
        stop.set()
        writer.join()


def test_a_seeded_database_comes_back_as_it_was(
    harness_template: Callable[..., str],
    harness_clone: Callable[[str], str],
    target: str,
    tmp_path: Path,
) -> None:
    source = harness_clone(harness_template(rows=300))
    found = backup(source, tmp_path / "new")
    assert (found.verdict, found.differences) == ("pass", ())
    back = restore(target, tmp_path / "new")
    assert (back.verdict, back.differences) == ("pass", ())
    assert back.fingerprint == found.fingerprint
    assert back.rows == found.rows
    assert fingerprint.take(target) == fingerprint.take(source)
    assert witness.differences(witness.dump(source), witness.dump(target)) == ()


def test_a_half_migrated_database_comes_back_with_its_ledger_and_goes_on(
    harness_migrated_template: Callable[..., str],
    harness_clone: Callable[[str], str],
    harness_plan: Plan,
    target: str,
    tmp_path: Path,
) -> None:
    source = harness_clone(harness_migrated_template(rows=300, until=harness_plan.phases[0].id))
    before = identity.take(source)
    found = backup(source, tmp_path)
    assert (found.verdict, found.differences) == ("pass", ())
    back = restore(target, tmp_path)
    assert (back.verdict, back.fingerprint) == ("pass", found.fingerprint)
    left = [str(one) for one in identity.differences(before, identity.take(target))]
    assert tuple(left) == found.respelled
    assert all("ARRAY[" in line or "WHEN" in line for line in found.respelled)
    assert runner.status(target, harness_plan) == runner.status(source, harness_plan)
    assert runner.migrate(target, harness_plan).state == "migrated"


def test_the_saved_fingerprint_is_one_to_compare_with(things: str, tmp_path: Path) -> None:
    saved = fingerprint.load(taken(things, tmp_path) / identity.DATABASE)
    assert fingerprint.compare(saved, fingerprint.take(things, detail=True)) == ()
    run_sql(things, "UPDATE public.things SET name = 'other' WHERE id = 7")
    (difference,) = fingerprint.compare(saved, fingerprint.take(things, detail=True))
    assert (difference.key, difference.attribute) == ("id=7", "name")


def test_a_backup_leaves_the_database_as_it_was_and_no_scratch_database(
    things: str, harness_server: Server, tmp_path: Path
) -> None:
    before = identity.take(things)
    taken(things, tmp_path)
    assert identity.differences(before, identity.take(things)) == ()
    assert scratches(harness_server, os.getpid()) == 0


def test_a_database_that_is_written_to_meanwhile_is_backed_up_as_of_one_moment(
    things: str, target: str, tmp_path: Path
) -> None:
    with writing(things) as count:
        wait_until(lambda: count() > 10, 60, "the first rows")
        began = count()
        taken(things, tmp_path)
        assert count() > began  # there was somebody
    back = restore(target, tmp_path)
    assert back.verdict == "pass"
    assert back.rows["public.things"] >= 50 + began
    run_sql(
        target, "INSERT INTO public.things (name) VALUES ('next')"
    )  # its sequence is not behind


def planted(directory: Path) -> dict[str, Any]:
    """The manifest as it lies there."""
    document: dict[str, Any] = json.loads((directory / manifest.NAME).read_text())
    return document


def test_the_manifest_says_what_was_backed_up(things: str, tmp_path: Path) -> None:
    found = backup(things, tmp_path)
    told = planted(tmp_path)
    assert (told["format"], told["verified"]) == (1, True)
    assert told["database"] == admin.dbname(things)
    assert told["server_version"] // 10_000 == major(things)
    assert told["rows"] == {"public.things": 50}
    assert told["fingerprint"] == found.fingerprint
    on_disk = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {file["name"] for file in told["files"]} == on_disk - {manifest.NAME}


def test_what_a_database_has_set_does_not_keep_its_backup_from_being_restored(
    things: str, target: str, tmp_path: Path
) -> None:
    """The scratch database has its settings; the other database has some of its own."""
    run_sql(things, "CREATE TABLE public.lists (l text[], i interval)")
    run_sql(things, "INSERT INTO public.lists VALUES (ARRAY['a', NULL], '-1 day +02:03')")
    for dsn in (things, target):
        name = admin.dbname(dsn)
        for setting in ("default_transaction_read_only = on", "array_nulls = off"):
            run_sql(dsn, f'BEGIN READ WRITE; ALTER DATABASE "{name}" SET {setting}; COMMIT')
    taken(things, tmp_path / "backup")
    restore(target, tmp_path / "backup")
    assert ask(target, "SELECT l[2] IS NULL FROM public.lists") is True
