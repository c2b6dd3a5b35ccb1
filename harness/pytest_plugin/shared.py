"""The directory that the workers of a session share: agreed on at once, made when first used."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import pytest

from harness.pytest_plugin.options import SERVER_PER_WORKER

KEPT: Final = "kept"
SERVER: Final = "server-"
_path = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Agree on the path: the controller invents it, a worker is told."""
    worker = getattr(config, "workerinput", None)
    name = f"harness-session-{secrets.token_hex(8)}"
    config.stash[_path] = (
        Path(worker["harness_shared_dir"]) if worker else Path(tempfile.gettempdir(), name)
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker the path, and whose the server is."""
    node.workerinput["harness_shared_dir"] = str(node.config.stash[_path])
    node.workerinput["harness_controller"] = os.getpid()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the session started, unless the database of a failed test is kept."""
    if is_worker(config) or _path not in config.stash or not config.stash[_path].is_dir():
        return
    directory = config.stash[_path]
    if not (directory / KEPT).exists():
        for record in directory.glob(f"{SERVER}*.json"):
            _tidy_up(record)
    shutil.rmtree(directory, ignore_errors=True)


def shared_directory(config: pytest.Config) -> Path:
    """The directory, made now if it is not there."""
    directory = config.stash[_path]
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def server_record(config: pytest.Config) -> Path:
    """Where the server is recorded that this process uses: the session's, or the worker's own."""
    worker = getattr(config, "workerinput", None)
    own = worker["workerid"] if worker and config.getoption(SERVER_PER_WORKER) else "session"
    return shared_directory(config) / f"{SERVER}{own}.json"


def shared_file(config: pytest.Config, name: str) -> Path:
    """Where a file of the directory is, or would be."""
    return config.stash[_path] / name


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of xdist."""
    return hasattr(config, "workerinput")


def session_owner(config: pytest.Config) -> int:
    """The process in whose name a server is started: the controller, not a worker."""
    return int(getattr(config, "workerinput", {}).get("harness_controller", os.getpid()))


def _tidy_up(record: Path) -> None:
    from harness.core.gate_environment import SERVER_RECORD

    if SERVER_RECORD in os.environ:
        return  # a gate tidies up
    from harness.database import template
    from harness.server import attach

    server = attach(json.loads(record.read_text()))
    if server.provider == "existing":
        template.drop_all(server.dsn())
    else:
        server.close()
