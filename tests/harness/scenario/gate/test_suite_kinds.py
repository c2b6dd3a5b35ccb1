"""A package may ship a suite: a gate runs it like ours, and names it wherever it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.support.distribution import plant
from tests.harness.support.gate import found, gate, make_project, words

CODE = """
from harness.scenario.gate.suite_kinds import SuiteKind

def test_invoices_sum_up():
    assert True

def test_invoices_are_kept():
    raise AssertionError("an invoice is gone")

SUITE = SuiteKind("planted_kinds")
TAKEN = SuiteKind("somewhere.test_crash")
ABSENT = SuiteKind("no_package_of_anybody.test_invoices")
OTHER = "planted_kinds"
"""


def gate_with(root: Path, target: str) -> tuple[int, dict[str, object], str]:
    """A gate of a small checkout where a package registers a suite."""
    project = make_project(root / "project")
    around = plant(root, CODE, "harness.suites", target)
    return gate(project, PYTHONPATH=around["PYTHONPATH"])


def test_a_registered_suite_is_run_and_its_failure_is_no_go(tmp_path: Path) -> None:
    status, document, _ = gate_with(tmp_path, "SUITE")
    assert (status, document["verdict"]) == (1, "NO-GO")
    assert words(document)["planted_kinds"] == "fail"
    assert "an invoice is gone" in found(document)["planted_kinds.py::test_invoices_are_kept"]
    assert [word for word in words(document).values() if word != "pass"] == ["fail"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("TAKEN", "there is a suite 'crash' already"),
        ("ABSENT", "there is no file of a module 'no_package_of_anybody.test_invoices'"),
        ("OTHER", "it does not name a SuiteKind but str"),
    ],
)
def test_a_suite_that_cannot_be_run_names_its_package(
    tmp_path: Path, target: str, said: str
) -> None:
    status, document, told = gate_with(tmp_path, target)
    assert status == 2
    assert f"of planted-kinds, entry point of harness.suites: {said}" in str(document["error"])
    assert "Traceback" not in told
