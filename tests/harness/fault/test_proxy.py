"""The proxy sees every message, and strikes before it, after it and in it: with real servers."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import InfrastructureError
from harness.fault.frames import Splitter
from tests.harness.support import proxy_scenes

SCENES = Path(proxy_scenes.__file__)
STARTUP = (8 + 5).to_bytes(4, "big") + (196608).to_bytes(4, "big") + b"user\0"
SSL = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
CANCEL = (16).to_bytes(4, "big") + (80877102).to_bytes(4, "big") + bytes(8)


def query(text: str) -> bytes:
    body = text.encode() + b"\0"
    return b"Q" + (len(body) + 4).to_bytes(4, "big") + body


STREAM = SSL + STARTUP + query("SELECT 1") + b"S\0\0\0\4" + query("SELECT '€'") + b"X\0\0\0\4"


@given(st.lists(st.integers(min_value=1, max_value=len(STREAM)), max_size=12))
def test_a_stream_is_cut_into_the_same_messages_however_it_comes(cuts: list[int]) -> None:
    places = sorted({0, *cuts, len(STREAM)})
    splitter = Splitter(frontend=True)
    found = [
        message
        for begin, end in itertools.pairwise(places)
        for message in splitter.feed(STREAM[begin:end])
    ]
    assert [message.kind for message in found] == ["ssl", "startup", "Q", "S", "Q", "X"]
    assert b"".join(message.data for message in found) == STREAM
    assert found[4].text == "SELECT '€'"


def test_a_request_to_cancel_is_no_start() -> None:
    assert [message.kind for message in Splitter(frontend=True).feed(CANCEL)] == ["cancel"]


def test_a_truncated_message_is_no_message() -> None:
    assert list(Splitter(frontend=True).feed(STARTUP[:-1])) == []


def test_a_dsn_that_insists_on_tls_is_refused_at_once() -> None:
    from harness.fault.proxy import Proxy

    with pytest.raises(InfrastructureError, match="insists on TLS"):
        Proxy("postgresql://127.0.0.1:1/x?sslmode=require")


# A client in a forked process, carried by the proxy; the scene runs in a process without threads.


def carried(dsn: str, act: str, number: int = 0) -> dict[str, Any]:
    """Run a scene of `proxy_scenes` and give what it saw."""
    command = [sys.executable, str(SCENES), dsn, act, str(number)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def counted(harness_empty_database: str) -> str:
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        conn.execute("create table t (a int)")
    return harness_empty_database


def rows(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select count(*) from t").fetchone()
        assert row is not None
        return int(row[0])


def test_every_message_passes_and_is_recorded(counted: str) -> None:
    seen = carried(counted, "record")
    assert seen["status"] == 0
    kinds = "".join(kind for kind in seen["kinds"] if len(kind) == 1 and kind != "p")
    assert kinds == "QPBDESQ" + "Q" + "dc" + "X"  # insert, parameters, pipeline's end, copy
    assert seen["backends"] >= 1
    assert rows(counted) == 4


def numbered(counted: str, text: str) -> int:
    """The number of the first message with this SQL."""
    seen = carried(counted, "record")
    with psycopg.connect(counted, autocommit=True) as conn:
        conn.execute("truncate t")
    return int(next(n for n, sql in enumerate(seen["texts"], 1) if text in sql))


@pytest.mark.parametrize(
    ("act", "done"), [("CUT", 0), ("PARTIAL", 0), ("UNHEARD", 1), ("UNHEARD_ONE", 1), ("KILL", 0)]
)
def test_what_the_server_has_done_is_what_the_strike_says(
    counted: str, act: str, done: int
) -> None:
    number = numbered(counted, "insert into t values (1)")
    seen = carried(counted, act, number)
    assert seen["met"] == "Q"
    assert seen["status"] != 0
    assert rows(counted) == done


def test_after_a_cut_the_line_stays_down_and_after_a_blip_it_is_back(counted: str) -> None:
    number = numbered(counted, "insert into t values (1)")
    assert carried(counted, "CUT", number)["reconnected"] is False
    assert carried(counted, "CUT_ONE", number)["reconnected"] is True


def test_a_stalled_line_tells_neither_end(counted: str) -> None:
    number = numbered(counted, "insert into t values (1)")
    seen = carried(counted, "STALL", number)
    assert (seen["heard"], seen["backend_alive"]) == (False, True)


def test_a_strike_beyond_the_last_message_does_not_fire(counted: str) -> None:
    seen = carried(counted, "CUT", 1000)
    assert (seen["met"], seen["status"]) == ("", 0)
    assert rows(counted) == 4


def test_a_signal_sent_twice_ends_with_a_request_to_cancel(counted: str) -> None:
    number = numbered(counted, "insert into t values (1)")
    seen = carried(counted, "TWICE", number)
    assert seen["cancels"] == 1
    assert seen["nags"] >= 1
