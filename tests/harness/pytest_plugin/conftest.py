"""What the tests of the plugin share: a session that uses this session's server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.core.gate_environment import SERVER_RECORD
from harness.pytest_plugin.options import OPTIONS

if TYPE_CHECKING:
    from harness.server import Server


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    """No setting of this session's reaches the sessions of the tests."""
    for option in OPTIONS.values():
        monkeypatch.delenv(option.variable, raising=False)
    for variable in ("SPY_LOG", "PYTHONPATH"):
        monkeypatch.setenv(variable, "")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


@pytest.fixture
def handed_on(monkeypatch: pytest.MonkeyPatch, harness_server: Server) -> Server:
    """The server of this session, handed on as a gate does: the inner one leaves it running."""
    monkeypatch.setenv(SERVER_RECORD, json.dumps(harness_server.record()))
    return harness_server
