"""`harness webhooks`: killed and run again nothing is lost; exit statuses, one JSON document."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

from harness.core.poll import wait_until
from harness.webhook import outbox, upkeep
from harness.webhook.deliver import deliver_all
from harness.webhook.proof import judge_deliveries, read_queued
from harness.webhook.receiver import receiving
from tests.harness.support.webhooks import (
    KEY,
    LOCAL,
    SECRET,
    endpoint_of,
    file_of,
    prepared,
    queue_events,
    write_file,
)


def start(*arguments: str, dsn: str, cwd: Path) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HARNESS_")}
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "webhooks", *arguments, "--json"],
        cwd=cwd, env={**clean, "HARNESS_DSN": dsn, "WEBHOOK_SECRET": SECRET}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err, err
    return process.returncode, json.loads(out), err


def test_a_sender_killed_while_its_webhook_is_answered_sends_it_again(
    harness_empty_database: str, tmp_path: Path
) -> None:
    senders: list[subprocess.Popen[str]] = []
    counted: list[str] = []

    def answer(_endpoint: str, given: str, _body: bytes) -> int:
        counted.append(given)
        if len(counted) == 4:
            wait_until(lambda: senders, 60, "its process to be known")
            senders[0].send_signal(signal.SIGKILL)
            senders[0].wait()
        return 204

    with receiving(answer) as receiver:
        prepared(harness_empty_database, endpoint_of(receiver))
        with outbox.opened(harness_empty_database) as conn:
            queue_events(conn, 12)
        file = write_file(tmp_path / "webhooks.toml", endpoint_of(receiver))
        sending = ("send", "--until-empty", "--endpoints", str(file), "--allow-loopback")
        senders.append(start(*sending, dsn=harness_empty_database, cwd=tmp_path))
        assert senders[0].wait() == -signal.SIGKILL
        senders[0].communicate()
        status, document, err = ended(start(*sending, dsn=harness_empty_database, cwd=tmp_path))
        with outbox.opened(harness_empty_database) as conn:
            queued = read_queued(conn)
    assert (status, document["state"], document["delivered"]) == (0, "sent", 9)
    assert counted[3] == counted[4]
    assert judge_deliveries(queued, receiver.seen, {"old": (KEY,)}) == []
    assert SECRET not in json.dumps(document) + err


def test_loopback_is_refused_unless_it_is_allowed(
    harness_empty_database: str, tmp_path: Path
) -> None:
    with receiving() as receiver:
        prepared(harness_empty_database, endpoint_of(receiver))
        with outbox.opened(harness_empty_database) as conn:
            queue_events(conn, 1)
        file = write_file(tmp_path / "webhooks.toml", endpoint_of(receiver))
        sending = start(
            "send", "--once", "--endpoints", str(file), dsn=harness_empty_database, cwd=tmp_path
        )
        status, document, _ = ended(sending)
    assert (status, document["state"], receiver.seen) == (1, "pending", [])
    assert document["endpoints"][0]["said"] == "the address of 127.0.0.1, 127.0.0.1, is loopback"


def test_each_endpoint_of_a_vocabulary_is_told_once_when_it_ends(
    harness_empty_database: str,
) -> None:
    with receiving() as receiver:
        both = endpoint_of(receiver), endpoint_of(receiver, "new")
        prepared(harness_empty_database, *both)
        with outbox.opened(harness_empty_database) as conn:
            for told in (["old"], []):
                assert upkeep.deprecate(conn, "old", date(2030, 1, 31), "new") == told
        deliver_all(harness_empty_database, file_of(*both), "once", lambda: False, LOCAL)
        (one,) = receiver.seen
    assert json.loads(one.body)["data"] == {
        "endpoint": "old", "vocabulary": "old", "sunset": "2030-01-31", "successor": "new"
    }  # fmt: skip


def test_an_endpoint_that_is_enabled_is_sent_what_was_given_up(harness_empty_database: str) -> None:
    with receiving(lambda *_: 500) as receiver:
        prepared(harness_empty_database, endpoint_of(receiver))
        with outbox.opened(harness_empty_database) as conn:
            queue_events(conn, 1)
            file = file_of(endpoint_of(receiver), schedule=(0.01,))
            deliver_all(harness_empty_database, file, "until-empty", lambda: False, LOCAL)
            upkeep.disable(conn, "old")
            (line,) = upkeep.look(conn)
            assert (line.given_up, line.disabled_for) == (1, "by hand")
            assert upkeep.enable(conn, "old") == 1
            (line,) = upkeep.look(conn)
            assert (line.pending, line.given_up, line.disabled) == (1, 0, "")
