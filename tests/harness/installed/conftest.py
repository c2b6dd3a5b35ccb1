"""One wheel and one environment for every test that runs the harness as others have it."""

from __future__ import annotations

import pytest
from filelock import FileLock

from tests.harness.support.installed import Installed, build_wheel, install_wheel


@pytest.fixture(scope="session")
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    """The wheel, installed with what its base install brings; made once for all workers."""
    mine = tmp_path_factory.getbasetemp()
    home = (mine.parent if hasattr(request.config, "workerinput") else mine) / "installed"
    home.mkdir(exist_ok=True)
    whole = home / "whole"
    with FileLock(home / "lock"):
        if not whole.exists():
            install_wheel(build_wheel(home), home / "venv")
            whole.touch()
    return Installed(home / "venv")
