"""What the usher sees of tests, whatever the hooks of a conftest make of them."""

from __future__ import annotations

from typing import Any

import pytest

from harness.scenario.gate.attendance import OUTPUT, Attendance, Usher

SUITE = """
import functools
import threading
import unittest

import sys

import pytest

PROFILES = sys.getprofile(), threading.getprofile()


def off(function):
    return functools.wraps(function)(lambda: None)


def passed_on(function):
    @functools.wraps(function)
    def call():
        return function()
    return call


def in_a_thread(function):
    @functools.wraps(function)
    def call():
        thread = threading.Thread(target=function)
        thread.start()
        thread.join()
    return call


def test_passes():
    pass

def test_fails():
    raise ValueError("first\\nsecond")

def test_is_silent():
    raise KeyError

@off
def test_off():
    raise ValueError

@passed_on
def test_passed_on():
    pass

@in_a_thread
def test_in_a_thread():
    pass

@pytest.fixture
def broken():
    raise OSError("x" * 400)

def test_not_set_up(broken):
    pass

def test_skips():
    pytest.skip("later")

def test_nobody_is_watched_any_longer():
    assert (sys.getprofile(), threading.getprofile()) == PROFILES

def test_dropped():
    pass

def test_deselected():
    pass

def test_replaced():
    pass

class TestOld(unittest.TestCase):
    def test_old(self):
        pass

    def test_old_skips(self):
        raise unittest.SkipTest
"""
CONFTEST = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    gone = [item for item in items if item.name == "test_deselected"]
    config.hook.pytest_deselected(items=gone)
    items[:] = [i for i in items if i.name not in ("test_dropped", "test_deselected")]
    for item in items:
        if item.name == "test_replaced":
            item.obj = lambda: None
"""


@pytest.fixture
def seen(pytester: pytest.Pytester) -> Attendance:
    """What was seen of a suite of every kind of test, as it is handed over."""
    pytester.makepyfile(test_it=SUITE)
    pytester.makeconftest(CONFTEST)
    told: list[dict[str, Any]] = []
    done = pytester.inline_run("-p", "no:cacheprovider", "-n0", plugins=[Usher(told.append)])
    assert done.ret == 1
    (document,) = told
    attendance = Attendance()
    attendance.add(document)
    assert attendance.document() == document
    return attendance


def named(nodeids: Any) -> set[str]:
    return {nodeid.rpartition("::")[2] for nodeid in nodeids}


def test_found_kept_called_and_raised_are_told_apart(seen: Attendance) -> None:
    every = named(seen.found)
    assert len(every) == 14
    assert named(seen.deselected) == {"test_deselected"}
    assert named(seen.kept) == every - {"test_dropped", "test_deselected"}
    uncalled = {"test_not_set_up", "test_replaced", "test_off"}
    old = {"test_old", "test_old_skips"}
    assert named(seen.watched) == named(seen.kept) - old - {"test_not_set_up"}
    assert named(seen.called) == named(seen.kept) - old - uncalled
    assert {name.rpartition("::")[2]: said for name, said in seen.raised.items()} == {
        "test_fails": "ValueError: first",
        "test_is_silent": "KeyError: ",
        "test_not_set_up": f"OSError: {'x' * 291}",
    }
    # each is found where its own function begins, under its decorators
    places = {name.partition("::")[2]: place for name, place in seen.found.items()}
    lines = SUITE.lstrip("\n").splitlines()
    for name, marked in (("test_passes", "def test_passes():"), ("test_off", "@off")):
        assert places[name] == ("test_it.py", lines.index(marked) + 1)
    assert places["TestOld::test_old"][0] == "test_it.py"


def test_who_has_a_controller_hands_it_over_and_who_saw_nothing_says_nothing(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(test_it="def test_a():\n    pass\n")
    output: dict[str, Any] = {}
    told: list[dict[str, Any]] = []

    class Worker:
        @pytest.hookimpl(tryfirst=True)
        def pytest_configure(self, config: Any) -> None:
            config.workeroutput = output

    pytester.inline_run("-n0", plugins=[Worker(), Usher(told.append)])
    assert (list(output[OUTPUT]["found"]), told) == (["test_it.py::test_a"], [])
    pytester.inline_run("-n0", "--ignore=test_it.py", plugins=[Usher(told.append)])
    assert told == []
    pytester.inline_run("-n0", plugins=[Usher()])  # nobody to tell
