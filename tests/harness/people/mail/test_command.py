"""`harness notify` from outside: a plan without a database, a key, mails once, their status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.harness.support.mail import serving
from tests.harness.support.runner import plan_of

MAIL = """
format = 1
id = "harvest"
title = "Accounts get a new home"
zone = "Europe/Zurich"
start = {start}
end = {end}
support = "help@example.com"
audience = "recipients.csv"

[mail]
from = "Status <status@example.com>"
host = "127.0.0.1"
port = {port}
security = "none"
user = "mailer"
password_env = "SMTP_WORD"
"""


def notify(*words: str, cwd: Path, **more: str) -> tuple[int, dict[str, Any], str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HARNESS_")}
    done = subprocess.run(
        [sys.executable, "-m", "harness", "notify", *words, "--plan", "plan.toml", "--json"],
        cwd=cwd, env={**clean, **more}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    assert "example.com" not in (done.stdout + done.stderr).replace("***@example.com", "")
    return done.returncode, json.loads(done.stdout), done.stderr


def write_window(root: Path, port: int) -> None:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=90)
    end = start + timedelta(hours=1)
    plan_of(root, ("select 1;", "select 1;"))
    times = {"start": start.isoformat(), "end": end.isoformat()}
    text = MAIL.format(port=port, **times).replace("Europe/Zurich", "UTC")
    (root / "window.toml").write_text(text)
    (root / "recipients.csv").write_text("address\nann@example.com\nbo@example.com\n")


def test_mails_are_sent_once_by_who_has_the_key_and_no_address_is_printed(
    tmp_path: Path, harness_empty_database: str
) -> None:
    with serving() as (postbox, port):
        write_window(tmp_path, port)
        told = {"HARNESS_DSN": harness_empty_database, "SMTP_WORD": "s3cret-w0rd"}
        code, document, err = notify("send", "--once", cwd=tmp_path, **told)
        assert code == 2
        assert "harness notify key" in document["error"]
        assert notify("key", cwd=tmp_path, **told)[0] == 0
        code, document, err = notify("send", "--once", cwd=tmp_path, **told)
        assert (code, postbox.taken) == (3, [])
        assert "no login" in document["error"]
        assert "s3cret" not in document["error"] + err
