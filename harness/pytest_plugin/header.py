"""Which server a session runs on and why: said when an option or a test asks for one, else not."""

from __future__ import annotations

from typing import Any, Final

import pytest

from harness.pytest_plugin import options
from harness.pytest_plugin.server_choice import chosen_server, is_asked_for
from harness.pytest_plugin.shared import is_worker, shared_directory, shared_file

ASKED: Final = "asked"
_said = pytest.StashKey[bool]()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """At once, where the command line has one of our options."""
    return _lines(config) if options.is_any_given(config) else []


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """After the collection, where a test asks for a server."""
    quiet = config.get_verbosity() < 0  # pytest leaves out a header then, not what comes here
    return _lines(config) if is_asked_for(items) and not quiet else []


@pytest.hookimpl(tryfirst=True)  # before xdist tells the controller that this worker is ready
def pytest_collection_finish(session: pytest.Session) -> None:
    """A worker of xdist leaves word: its controller collects nothing itself."""
    if is_worker(session.config) and is_asked_for(session.items):
        (shared_directory(session.config) / ASKED).touch()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """The controller says what a worker left word of.

    To choose the server has an effect that is wanted here, before a worker starts it in this
    process's name: whatever ends this process closes it.
    """
    if not shared_file(node.config, ASKED).exists():
        return
    terminal = node.config.pluginmanager.get_plugin("terminalreporter")
    for line in _lines(node.config):
        if terminal is not None:
            terminal.write_line(line)


def _lines(config: pytest.Config) -> list[str]:
    from harness.core.errors import HarnessError

    if config.stash.get(_said, False):
        return []
    config.stash[_said] = True
    try:
        server = chosen_server(config)
    except HarnessError as error:
        return [f"migration-harness: no server: {error}"]
    rows, seed = (options.find_setting(config, name) for name in ("rows", "seed"))
    what = f"{server.provider} PostgreSQL {server.version}, rows {rows}, seed {seed}"
    return [
        f"migration-harness: {what}",
        f"  because {server.why}",
        *(f"  passed over: {reason}" for reason in server.passed_over),
    ]
