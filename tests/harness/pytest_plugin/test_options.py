"""Of an option's values the command line's counts, then the environment's, then the ini file's."""

from __future__ import annotations

import itertools

import pytest

from harness.pytest_plugin.options import OPTIONS, find_number, find_setting
from tests.harness.support.plugin import run_session, write_project

SOURCES = ("flag", "variable", "ini")
ASKS = """
def test_a(harness_rows):
    assert harness_rows == 7
"""


@pytest.mark.parametrize("name", OPTIONS)
def test_precedence_of_an_option(
    name: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every subset of the three sources: the first that is given counts, else the default."""
    option = OPTIONS[name]
    for given in itertools.product((True, False), repeat=3):
        flag, variable, ini = given
        arguments = [f"{option.flag}=of-the-flag"] if flag else []
        monkeypatch.setenv(option.variable, "of-the-variable" if variable else "")
        pytester.makeini(f"[pytest]\n{option.key} = of-the-ini" if ini else "[pytest]")
        found = find_setting(pytester.parseconfig(*arguments), name)
        sources = [source for source, there in zip(SOURCES, given, strict=True) if there]
        assert found == (f"of-the-{sources[0]}" if sources else option.default), given


def test_help_names_each_option_and_its_variable(pytester: pytest.Pytester) -> None:
    said = run_session(pytester, "--help").said
    for option in OPTIONS.values():
        assert option.flag in said
        assert option.variable in said
        assert f"{option.key} (string)" in said


@pytest.mark.parametrize("text", ["many", "-3", "1e3", "٣"])
def test_what_is_not_a_number_is_refused(pytester: pytest.Pytester, text: str) -> None:
    config = pytester.parseconfig(f"--pg-rows={text}")
    with pytest.raises(pytest.UsageError, match=f"--pg-rows takes a whole number, not {text!r}"):
        find_number(config, "rows")


def test_two_projects_of_one_environment_have_their_own_settings(
    pytester: pytest.Pytester,
) -> None:
    for number in (7, 8):
        project = write_project(pytester.path / str(number), f"pg_rows = {number}", a=ASKS)
        assert run_session(pytester, project=project).status == (0 if number == 7 else 1)
