"""Every test that is there is run, counted and believed only for what it did itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.scenario.gate import census, left_out
from harness.scenario.gate.recorder import SuiteRecorder
from tests.harness.support.gate import PASSES, found, gate, make_project, plant, words

HOME = "tests/migration"
BAD = "def test_bad():\n    assert 1 == 2\n"
OFF = "import functools\n\ndef off(f):\n    return functools.wraps(f)(lambda: None)"
SWITCHED_OFF = {
    "mark_skip": ("import pytest\n\n@pytest.mark.skip\n" + BAD, "unconditional skip"),
    "call_skip": (f"import pytest\n\n{BAD}".replace("assert", "pytest.skip('x')\n    assert"), "x"),
    "xfail": ("import pytest\n\n@pytest.mark.xfail(reason='later')\n" + BAD, "expected to fail: l"),
    "xpass": (
        "import pytest\n\n@pytest.mark.xfail(strict=False)\ndef test_bad():\n    pass\n",
        "marked as expected to fail",
    ),
    "no_cases": (
        "import pytest\n\n@pytest.mark.parametrize('n', [])\ndef test_bad(n):\n    assert n\n",
        "empty parameter set",
    ),
    "not_a_test": (f"{PASSES}\n{BAD}\ntest_bad.__test__ = False\n", "never collected"),
    "deleted": (f"{PASSES}\n{BAD}\ndel test_bad\n", "never collected"),
    "shadowed": (f"{BAD}\n{PASSES.replace('test_a', 'test_bad')}", "never collected"),
    "asleep": (f"{PASSES}\n{BAD.replace('test_bad', '_test_bad')}", "never collected"),
    "conditional": (f"{PASSES}\nif False:\n    def test_bad():\n        pass\n", "never collected"),
    "class": (f"{PASSES}\nclass Others:\n    def test_bad(self):\n        pass\n", "never collec"),
    "module": ("import pytest\n\npytest.skip('x', allow_module_level=True)\n" + BAD, "never coll"),
    "swallowed": (
        "import functools\n\ndef off(f):\n    return functools.wraps(f)(lambda: None)\n\n@off\n"
        + BAD,
        "its function was never called",
    ),
    "other_code": (f"{PASSES}\n{BAD}\ntest_bad.__code__ = test_a.__code__\n", "never collected"),
    "import": (f"import pytest\n\npytest.importorskip('no_such_thing')\n{BAD}", "never collected"),
}
"""Names of suites: ways to keep one test from counting, and what is said of it."""


DECORATED = """
import functools
import threading
from unittest import mock

from hypothesis import given, settings, strategies


def in_a_thread(function):
    @functools.wraps(function)
    def call():
        thread = threading.Thread(target=function)
        thread.start()
        thread.join()
    return call


@in_a_thread
def test_in_a_thread():
    assert True


@mock.patch("os.getcwd")
@mock.patch("os.getpid")
def test_patched(one, other):
    assert True


@settings(max_examples=2, database=None)
@given(strategies.integers())
def test_given(number):
    assert True


class TestMethods:
    @functools.cache
    def test_cached(self):
        assert True
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def test_a_test_that_is_switched_off_in_its_file_is_named(project: Path) -> None:
    for name, (text, _) in SWITCHED_OFF.items():
        plant(project, f"test_{name}.py", text)
    plant(project, "sub/test_moved.py", "import pytest\n\n@pytest.mark.skip\n" + BAD)
    plant(project, "renamed.py", BAD)
    plant(project, "test_decorated.py", DECORATED)
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (1, "NO-GO")
    told, suites = found(document), words(document)
    for name, (_, said) in SWITCHED_OFF.items():
        assert suites[name] != "pass", name
        messages = [text for where, text in told.items() if f"test_{name}.py" in where]
        assert any(said in text for text in messages), (name, messages)
    assert suites["decorated"] == "pass", told
    assert suites["sub/moved"] == suites["renamed"] == "unknown"
    assert "left_out.renamed.test_bad" in [one["id"] for one in document["findings"]]


CONFIGURED = {
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = \"-k 'not bad' -p no:xdist\"\n",
    "pytest.ini": "[pytest]\naddopts = --deselect tests/migration/test_resume.py::test_bad\n"
    "python_files = test_r*.py\npython_functions = test_a\nnorecursedirs = migration\n",
    "tox.ini": "[pytest]\naddopts = -x --co\n",
    "setup.cfg": "[tool:pytest]\naddopts = --ignore=tests/migration/test_resume.py\n",
    "swallow.py": "import pytest\n\n@pytest.hookimpl(tryfirst=True)\n"
    "def pytest_runtest_protocol(item):\n    return True\n",
}


def test_options_of_a_project_and_of_a_user_do_not_reach_the_suites(project: Path) -> None:
    for name, text in CONFIGURED.items():
        (project / name).write_text(text)
    plant(project, "test_resume.py", PASSES + BAD)
    plant(project, "test_forward.py", PASSES + BAD.replace("1 == 2", "not __debug__"))
    status, document, _ = gate(
        project,
        PYTEST_ADDOPTS="-k 'not test_bad' --lf --maxfail 1",
        PYTEST_PLUGINS="swallow",
        PYTHONOPTIMIZE="2",
        PYTHONPATH=str(project),
        HARNESS_DSN="postgresql://nobody@127.0.0.1:1/none",
        PGHOST="/nowhere",
    )
    assert (status, document["verdict"]) == (1, "NO-GO")
    assert words(document) | {"resume": "fail", "forward": "fail"} == words(document)
    assert len(document["findings"]) == 2  # nothing else went wrong, nothing was left out


CONFTEST = """
import pytest

collect_ignore_glob = ["*crash*"]


def pytest_collection_modifyitems(config, items):
    gone = [item for item in items if item.name == "test_deselected"]
    config.hook.pytest_deselected(items=gone)
    items[:] = [item for item in items if item.name not in ("test_deselected", "test_dropped")]


def pytest_runtest_protocol(item):
    return item.name == "test_not_run" or None


def pytest_runtest_setup(item):
    if item.name == "test_replaced":
        item.obj = lambda: None


def pytest_pyfunc_call(pyfuncitem):
    return pyfuncitem.name == "test_not_called" or None


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport():
    outcome = yield
    outcome.get_result().outcome = "passed"
"""
TRICKS = {
    "test_deselected": "was deselected",
    "test_dropped": "dropped by a hook",
    "test_not_run": "never came to its end",
    "test_not_called": "its function was never called",
    "test_replaced": "its function was never called",
    "test_bad": "a hook took its failure back: AssertionError: assert 1 == 2",
}


def test_a_conftest_that_keeps_a_failure_from_counting_is_found_out(project: Path) -> None:
    plant(project, "test_resume.py", "\n".join(BAD.replace("test_bad", name) for name in TRICKS))
    plant(project, "conftest.py", CONFTEST)
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (1, "NO-GO")
    assert words(document)["resume"] == words(document)["crash"] == "unknown"
    told = found(document)
    for name, said in TRICKS.items():
        assert said in told[f"{HOME}/test_resume.py::{name}"]
    assert "never collected" in told[f"{HOME}/test_crash.py::test_a"]


def test_a_mark_takes_no_single_test_out_of_a_suite(project: Path) -> None:
    for mark in ("sabotage_suite", "benchmark_suite"):
        plant(project, f"test_{mark}.py", f"import pytest\n\n@pytest.mark.{mark}\n{BAD}")
    _, document, _ = gate(project)
    assert words(document) | {"sabotage_suite": "fail", "benchmark_suite": "fail"} == words(
        document
    )


def test_the_census_knows_tests_from_fixtures_and_helpers(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef test_database():\n    pass\n\n"
        "def tested():\n    def test_inner():\n        pass\n\n"
        "try:\n    import x\nexcept ImportError:\n    def test_a():\n        pass\n\n"
        "def helper():\n    pass\n"
    )
    (tmp_path / "helper.py").write_text("def tests():\n    pass\n\ndef attest():\n    pass\n")
    there = census.defined(tmp_path, tmp_path)
    assert [(one.nodeid, one.line) for one in there] == [
        ("test_x.py::tested", 7),
        ("test_x.py::test_a", 14),
    ]
    assert census.defined(tmp_path, tmp_path, [tmp_path / "test_x.py"]) == []


def heard(*outcomes: str, **seen: object) -> SuiteRecorder:
    """A recorder that heard of test_0, test_1 …, and of what a process saw of them."""
    recorder = SuiteRecorder(lambda _: None)
    for number, outcome in enumerate(outcomes):
        line = {"kind": "report", "nodeid": f"{HOME}/test_x.py::test_{number}", "seconds": 0.0}
        line |= {"message": "", "evidence": "", "outcome": outcome}
        recorder.hear(line | {"when": "call"})
        recorder.hear(line | {"when": "teardown", "outcome": "passed"})
    told = {"found": {}, "kept": [], "deselected": [], "watched": [], "called": [], "raised": {}}
    recorder.hear({"kind": "attendance", "seen": told | seen})
    return recorder


def test_what_no_process_saw_cannot_be_counted() -> None:
    assert left_out.uncounted(heard("passed")) != []
    found = {f"{HOME}/test_x.py::test_0": (f"{HOME}/test_x.py", 1)}
    assert left_out.uncounted(heard("passed", found=found)) == []
    assert left_out.uncounted(heard()) == []


def test_a_skipped_test_that_raised_and_a_failed_one_are_named_once() -> None:
    names = [f"{HOME}/test_x.py::test_{number}" for number in range(2)]
    seen = {
        "found": dict.fromkeys(names, (f"{HOME}/test_x.py", 1)),
        "kept": names,
        "watched": names,
        "called": names[:1],
        "raised": dict.fromkeys(names, "AssertionError"),
    }
    assert left_out.left_out([], heard("failed", "skipped", **seen)) == []
    told = left_out.left_out([], heard("passed", "passed", **seen))
    assert [finding.where for finding in told] == names
    assert [finding.id for finding in told] == ["left_out.x.test_0", "left_out.x.test_1"]
