"""The server's host, where it is this one: what is free on its disks, how busy it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from harness.observe.load_signals import Answerer, Reading

FACTS = b"""
SELECT CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
    THEN pg_catalog.current_setting('data_directory') END,
  pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::bigint,
  pg_catalog.quote_ident(current_user)
"""


def is_here(directory: str, started: int) -> bool:
    """Whether the server that keeps its files there, and began then, runs on this host.

    The same path may exist on another machine: the same start does not.
    """
    try:
        lines = (Path(directory) / "postmaster.pid").read_text().splitlines()
        return abs(int(lines[2]) - started) <= 2
    except (OSError, ValueError, IndexError):
        return False


def free_bytes(directory: str) -> int:
    """What is free on the fullest disk of a server: of its data, its log, its tablespaces."""
    root = Path(directory)
    places = (root, root / "pg_wal", *root.glob("pg_tblspc/*"))
    return min(int(psutil.disk_usage(str(place)).free) for place in places)


def _looked(conn: Answerer, key: str, look: Callable[[str], Reading]) -> Reading:
    """One look at the host; blind where it is another one, or where that cannot be told."""
    row: Any = conn.execute(FACTS).fetchone()
    directory, started, role = row
    if directory is None:
        return Reading(
            blind=f"where the server keeps its files is hidden from role {role}",
            cure=f"GRANT pg_read_all_settings TO {role}",
        )
    elsewhere = Reading(
        blind="the server's host cannot be seen from here",
        cure=f"run harness on the server's host, as a user that may read its data directory, or"
        f" set {key} to 0",
    )
    try:
        return look(directory) if is_here(directory, started) else elsewhere
    except OSError:
        return elsewhere


class FreeDisk:
    """Bytes that are free where the server writes."""

    key = "min_free_disk_bytes"

    def read(self, conn: Answerer) -> Reading:
        """What is free on the fullest of its disks; blind where it is not this host's."""
        return _looked(conn, self.key, self._free)

    def _free(self, directory: str) -> Reading:
        free = free_bytes(directory)
        return Reading(free, f"{free:,} bytes are free on the server's disk")


class HostLoad:
    """How busy the server's host is: processes that want to run, of a minute, by its cores."""

    key = "max_host_load_percent"

    def __init__(self, load: Callable[[], tuple[float, ...]] = os.getloadavg) -> None:
        self._load = load

    def read(self, conn: Answerer) -> Reading:
        """The load in percent of its cores; blind where it is not this host's."""
        return _looked(conn, self.key, self._busy)

    def _busy(self, _directory: str) -> Reading:
        percent = 100 * self._load()[0] / (os.cpu_count() or 1)
        return Reading(percent, f"the host's load is {percent:.0f}% of its cores")
