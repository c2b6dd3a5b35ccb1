"""Which server the session's settings name, and whether a test asks for one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from harness.core.gate_environment import SERVER_RECORD
from harness.pytest_plugin.options import find_number, find_setting
from harness.pytest_plugin.shared import session_owner

if TYPE_CHECKING:
    from harness.server import Server

_chosen = pytest.StashKey["Server"]()


def chosen_server(config: pytest.Config) -> Server:
    """The server that the settings name, not yet started; looked for once a process.

    Raises HarnessError where there is none.
    """
    if _chosen not in config.stash:
        config.stash[_chosen] = _choose(config)
    return config.stash[_chosen]


def _choose(config: pytest.Config) -> Server:
    from harness.server import attach, choose

    if is_handed_on():
        return attach(json.loads(os.environ[SERVER_RECORD]))
    return choose(
        find_setting(config, "server") or "auto",
        version=find_number(config, "version"),
        image=find_setting(config, "image"),
        dsn=find_setting(config, "dsn"),
        profile="fast",  # the suites kill runners, never this server: its files need not survive
        owner_pid=session_owner(config),
    )


def is_handed_on() -> bool:
    """Whether the server is a gate's, which started it and tidies up."""
    return SERVER_RECORD in os.environ


def is_asked_for(items: Iterable[pytest.Item]) -> bool:
    """Whether a test uses the server; every other fixture that does stands on this one."""
    return any("harness_server" in getattr(item, "fixturenames", ()) for item in items)
