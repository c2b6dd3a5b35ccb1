"""One wheel and one environment for every test that runs the harness as others have it."""

from __future__ import annotations

import pytest

from tests.harness.support.installed import Installed, build_wheel, install_wheel


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed with what its base install brings."""
    home = tmp_path_factory.mktemp("installed")
    return install_wheel(build_wheel(home), home / "venv")
