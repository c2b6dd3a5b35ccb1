"""An extra that is missing is named with the command that installs it."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from harness.check.contract.session import engine
from harness.core.errors import InfrastructureError
from harness.core.extras import DISTRIBUTION, MODULES, install_line, require_extra
from harness.plan import load
from harness.scenario.dry_run import squawk
from harness.server import choose

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The modules of the extras are not there."""
    for module in MODULES.values():
        monkeypatch.setitem(sys.modules, module, None)
    return monkeypatch


@pytest.mark.parametrize("extra", MODULES)
def test_a_missing_extra_is_named_with_its_command(extra: str, without: pytest.MonkeyPatch) -> None:
    with pytest.raises(InfrastructureError) as caught:
        require_extra(extra, "this")
    assert str(caught.value) == (
        f"this needs the extra {extra!r}; pip install 'migration-harness[{extra}]'"
    )
    without.undo()
    require_extra(extra, "this")


def test_every_extra_that_is_named_is_there_to_install() -> None:
    extras = PROJECT["optional-dependencies"]
    assert PROJECT["name"] == DISTRIBUTION
    assert {*MODULES, "lint"} <= set(extras)
    (others,) = [one for one in extras["dev"] if one.startswith(DISTRIBUTION)]
    named = others.removeprefix(DISTRIBUTION).strip("[]").split(",")
    assert set(named) == set(extras) - {"dev"}  # or the tests of this repository lack something


def test_a_container_says_what_it_needs(without: pytest.MonkeyPatch) -> None:
    with pytest.raises(InfrastructureError, match=r"\[container\]"):
        choose("container")


def test_a_choice_passes_over_the_container(without: pytest.MonkeyPatch) -> None:
    server = choose("auto")
    assert server.provider != "container"
    assert install_line("container") in server.passed_over[0]
    server.close()


def test_a_client_through_sqlalchemy_says_what_it_needs(without: pytest.MonkeyPatch) -> None:
    with pytest.raises(InfrastructureError, match=r"\[contract\]"), engine(""):
        pass


def test_without_squawk_a_dry_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squawk.sysconfig, "get_path", lambda _name: "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    assert squawk.find_program() is None
    found = squawk.not_linted(load(ROOT / "sql" / "plan.toml"))
    assert (found.severity, found.hint) == ("info", install_line("lint"))
