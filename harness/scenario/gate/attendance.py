"""What a pytest process saw of its own tests: found, kept, called, and whether they raised.

Hooks of a conftest can drop a test, skip its call or take back its failure, and the reports then
say nothing of it. This looks at the tests themselves; the gate holds the two against each other.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import threading
import unittest
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from harness.scenario.gate.shipped import portable_path

OUTPUT = "harness_attendance"  # in what an xdist worker hands to its controller
NO_FAILURES = (
    pytest.skip.Exception,
    pytest.xfail.Exception,
    unittest.SkipTest,
    pytest.exit.Exception,
    KeyboardInterrupt,
)


@dataclass
class Attendance:
    """By node id. `found` says where each test is defined: file and line."""

    found: dict[str, tuple[str, int]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    deselected: set[str] = field(default_factory=set)
    watched: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    raised: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As plain lists and dicts."""
        sets = ("kept", "deselected", "watched", "called")
        found = {name: list(place) for name, place in self.found.items()}
        told: dict[str, Any] = {name: sorted(getattr(self, name)) for name in sets}
        return told | {"found": found, "raised": self.raised}

    def add(self, told: dict[str, Any]) -> None:
        """Take in what a process told."""
        self.found |= {name: (path, line) for name, (path, line) in told["found"].items()}
        self.raised |= told["raised"]
        for name in ("kept", "deselected", "watched", "called"):
            getattr(self, name).update(told[name])


@contextlib.contextmanager
def _entering(function: Callable[..., Any], notice: Callable[[], None]) -> Iterator[None]:
    """Notice that a function is entered: of a decorated one, the function below its decorators."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or not hasattr(function, "__wrapped__"):
        notice()
        yield
        return
    before = sys.getprofile(), threading.getprofile()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is code:
            notice()
            sys.setprofile(before[0])

    threading.setprofile(profile)  # a decorator may run it in a thread, with a limit of time
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before[0])
        threading.setprofile(before[1])


class Usher:
    """The plugin: `tell` gets the document at the end, where there is no controller to tell."""

    def __init__(self, tell: Callable[[dict[str, Any]], None] | None = None) -> None:
        self._seen = Attendance()
        self._tell = tell

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Before any hook could drop it."""
        self._seen.found[item.nodeid] = _place(item)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Dropped, and said so."""
        self._seen.deselected.update(item.nodeid for item in items)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What is left to be run."""
        self._seen.kept.update(item.nodeid for item in session.items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """See the test's own function called, and what it raises, before any hook hears of it."""
        if not isinstance(item, pytest.Function) or inspect.iscoroutinefunction(item.obj):
            return
        if not issubclass(item.cls or object, unittest.TestCase):  # it calls its methods itself
            self._seen.watched.add(item.nodeid)
            if _place(item) == self._seen.found.get(item.nodeid):  # nothing was put in its place
                item.obj = self._watched(item.nodeid, item.obj)

    def _watched(self, nodeid: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            __tracebackhide__ = True
            try:
                with _entering(function, lambda: self._seen.called.add(nodeid)):
                    return function(*arguments, **named)
            except NO_FAILURES:
                raise
            except BaseException as error:
                self._note(nodeid, error)
                raise

        return call

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None]:
        """A set-up or a tear-down that raised."""
        if call.excinfo is not None and not isinstance(call.excinfo.value, NO_FAILURES):
            self._note(item.nodeid, call.excinfo.value)
        yield

    def _note(self, nodeid: str, error: BaseException) -> None:
        lines = str(error).splitlines() or [""]
        self._seen.raised.setdefault(nodeid, f"{type(error).__name__}: {lines[0]}"[:300])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand it over."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[OUTPUT] = self._seen.document()
        elif self._tell is not None and self._seen.found:
            self._tell(self._seen.document())


def _place(item: pytest.Item) -> tuple[str, int]:
    """File below the root and line of the test's own function, under all of its decorators."""
    function = inspect.unwrap(getattr(item, "function", None) or (lambda: None))
    code = getattr(function, "__code__", None)
    if not isinstance(item, pytest.Function) or code is None:
        path, line, _ = item.location
        return path, (line or 0) + 1
    path = portable_path(Path(code.co_filename), item.config.rootpath)
    return path, int(code.co_firstlineno)
