"""No password in what pytest prints and keeps, whatever form the DSN has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import make_conninfo

from harness.pytest_plugin.redaction import redact_parts
from harness.server import Dsn, secrets
from harness.server.dsn import fields
from tests.harness.support.plugin import WITHOUT

ROOT = Path(__file__).parents[3]
SECRET = "pa's %7 word"
SPELLED = (SECRET, quote(SECRET), quote(SECRET, safe=""), r"pa\'s %7 word", r"pa\\'s %7 word")
DSNS = (
    f"postgresql://app:{quote(SECRET, safe='')}@127.0.0.1:1/crm",
    f"postgresql://127.0.0.1:1/crm?user=app&password={quote(SECRET)}",
    make_conninfo(host="127.0.0.1", port=1, dbname="crm", password=SECRET),
    make_conninfo(host="127.0.0.1", port=1, dbname="crm", sslpassword=SECRET),
)
TESTS = """
import logging, psycopg, pytest, warnings
from harness.database import admin
from harness.server import settle

DSNS = {dsns!r}

@pytest.mark.parametrize("dsn", DSNS)
def test_one_that_cannot_connect(dsn):
    held = {{"dsn": dsn, "more": [dsn] * 9}}
    print(dsn)
    logging.getLogger("of the user").warning("to %s", dsn)
    admin.connect(dsn)

@pytest.mark.parametrize("number", range(4))
def test_one_of_the_users_own(number):
    dsn = DSNS[number]
    psycopg.connect(dsn)

@pytest.fixture
def broken():
    raise RuntimeError(DSNS[0])

def test_whose_fixture_breaks(broken):
    pass

@pytest.mark.filterwarnings("default")
def test_that_warns():
    warnings.warn(f"no answer from {{DSNS[0]}}")

def test_that_compares():
    assert DSNS[0] == DSNS[1]
"""


def run(directory: Path, *options: str, **environment: str) -> str:
    """Everything that pytest printed and kept."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *WITHOUT, f"--rootdir={ROOT}",
         f"--junitxml={directory / 'junit.xml'}", f"--log-file={directory / 'log'}", *options],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    kept = [(directory / name).read_text() for name in ("junit.xml", "log")]
    return "".join([done.stdout, done.stderr, *kept])


@pytest.mark.parametrize("workers", ["0", "1"])
def test_no_report_holds_a_password(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_users.py").write_text(TESTS.format(dsns=DSNS))
    options = ("-n", workers, "-rA", "--showlocals", "-o", "log_cli=true", str(tmp_path))
    said = run(tmp_path, *options)
    assert "failed" in said
    assert "UserWarning: no answer from postgresql://app:***@" in said
    assert "test_one_that_cannot_connect[postgresql://app:***@127.0.0.1:1/crm]" in said
    assert [word for word in SPELLED if word in said] == []


def test_a_server_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    path = "tests/harness/database/test_template.py"
    options = ("-x", "-n", "0", "--tb=long", path, "-k", "clone")
    said = run(tmp_path, *options, HARNESS_SERVER="existing", HARNESS_DSN=DSNS[0])
    assert "connection refused" in said.lower()
    assert [word for word in SPELLED if word in said] == []


def test_a_password_that_is_cut_in_the_middle_is_hidden_too() -> None:
    Dsn(f"host=h password='{SECRET.replace(chr(39), chr(92) + chr(39))}'")
    assert "word" not in secrets.redact(f"dsn = 'host=h ...{SECRET[3:]}' and more")


def test_a_short_or_open_word_is_not_taken_for_a_password() -> None:
    for password in ("crm", "postgres"):
        found = fields(f"postgresql://postgres:{password}@h/crm")
        assert found["password"] == password
    text = "postgres 18 holds crm"
    assert redact_parts([(text, 1)]) == [(text, 1)]
