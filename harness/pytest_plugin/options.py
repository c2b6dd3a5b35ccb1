"""The options, each with its environment variable and its ini twin, and which of them counts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

import pytest


@dataclass(frozen=True)
class Option:
    """`--pg-NAME` on the command line, `variable` in the environment, `pg_NAME` in the ini file."""

    name: str
    variable: str
    default: str | None
    text: str

    @property
    def flag(self) -> str:
        """As it is written on the command line."""
        return f"--pg-{self.name}"

    @property
    def key(self) -> str:
        """Its name in the ini file, and where pytest keeps the command line's value."""
        return f"pg_{self.name}"

    @property
    def help(self) -> str:
        """What `pytest --help` says."""
        return f"{self.text} (environment: {self.variable}; default: {self.default or 'none'})"


OPTIONS: Final = {
    option.name: option
    for option in (
        Option(
            "server",
            "HARNESS_SERVER",
            "auto",
            "auto, container, embedded, system or existing",
        ),
        Option("version", "HARNESS_PG_VERSION", None, "major version of Postgres"),
        Option("image", "HARNESS_PG_IMAGE", None, "container image"),
        Option("dsn", "HARNESS_DSN", None, "the server to use with --pg-server existing"),
        Option("rows", "HARNESS_ROWS", "10000", "rows to seed"),
        Option("seed", "HARNESS_SEED", "1", "seed of the synthetic rows"),
        Option("plan", "HARNESS_PLAN", None, "the plan under test, if not the project's"),
    )
}
KEEP_FAILED: Final = "keep_failed"
SERVER_PER_WORKER: Final = "server_per_worker"
TRUSTED: Final = "trust_command"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add one group, one prefix, and an ini twin for each option."""
    group = parser.getgroup("migration harness")
    for option in OPTIONS.values():
        # no default here: a value would hide the environment's and the ini file's
        group.addoption(option.flag, default=None, metavar=option.name.upper(), help=option.help)
        parser.addini(option.key, option.help, default=None)
    group.addoption(
        "--keep-failed",
        dest=KEEP_FAILED,
        action="store_true",
        default=False,
        help="keep the databases of failed tests, with their server, and print how to reach them",
    )
    group.addoption(
        "--server-per-worker",
        dest=SERVER_PER_WORKER,
        action="store_true",
        default=False,
        help="start a server for each worker of xdist, so that no test has another as a neighbour",
    )
    group.addoption(
        "--trust-command",
        dest=TRUSTED,
        action="store_true",
        default=False,
        help="run a command under test though nothing here keeps it from another database",
    )


def find_setting(config: pytest.Config, name: str) -> str | None:
    """The value of an option: command line over environment over ini file over default.

    The default of rows and seed is the project file's, where it says one.
    """
    option = OPTIONS[name]
    for value in (
        config.getoption(option.key),
        os.environ.get(option.variable),
        config.getini(option.key),
    ):
        if value:
            return str(value)
    return _default(config, option)


def _default(config: pytest.Config, option: Option) -> str | None:
    if option.name not in ("rows", "seed"):
        return option.default
    from harness.subject.amounts import default_rows, default_seed

    choose = default_rows if option.name == "rows" else default_seed
    return str(choose(int(option.default or 0), config.rootpath))


def find_number(config: pytest.Config, name: str) -> int | None:
    """The value as a number, None without one. Raises UsageError where it is not a number."""
    value = find_setting(config, name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()):
        raise pytest.UsageError(  # pytest's, which has no room for a hint
            f"{OPTIONS[name].flag} takes a whole number, not {value!r}; write it without a unit"
        )
    return int(value)


def is_any_given(config: pytest.Config) -> bool:
    """Whether the command line has one of our options."""
    return bool(
        config.getoption(KEEP_FAILED)
        or config.getoption(SERVER_PER_WORKER)
        or any(config.getoption(option.key) for option in OPTIONS.values())
    )
