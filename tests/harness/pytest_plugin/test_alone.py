"""A test that is marked `alone` runs while no other worker of its session runs one."""

from __future__ import annotations

import pytest

from tests.harness.support.plugin import run_session, write_project

MEETS = """
import time
from pathlib import Path

import pytest

def meet(mine, other):
    Path(mine).touch()
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        assert not Path(other).exists(), f"{mine} met {other}"
        time.sleep(0.01)
    Path(mine).unlink()

def test_before():
    meet("shared-a", "alone")

def test_another():
    meet("shared-b", "alone")

@pytest.mark.alone
def test_alone():
    meet("alone", "shared-a")
    meet("alone", "shared-b")
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_nobody_meets_a_test_that_is_alone(pytester: pytest.Pytester, workers: str) -> None:
    write_project(pytester.path, meets=MEETS)
    ended = run_session(pytester, "-p", "xdist", "-n", workers, "--dist", "load")
    assert ended.status == 0, ended.said
    assert "3 passed" in ended.said


MET = """
import time
from pathlib import Path

import pytest

def meet(mine, other):
    Path(mine).touch()
    until = time.monotonic() + 10
    while not Path(other).exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not Path(other).exists(), f"{mine} met {other}"

def test_shared():
    meet("shared", "alone")

@pytest.mark.alone
def test_alone():
    meet("alone", "shared")
"""


def test_without_the_plugin_they_meet(pytester: pytest.Pytester) -> None:
    """The counter-example: the mark alone keeps nobody away."""
    write_project(pytester.path, met=MET)
    plain = ("-p", "no:harness.pytest_plugin.alone", "-p", "xdist", "-n", "2", "--dist", "load")
    ended = run_session(pytester, *plain)
    assert ended.status == 1, ended.said
    assert "met alone" in ended.said
