"""The README's blocks: what they print can be typed, and "By hand" runs as it stands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import cli
from harness.server import choose, find_client, shell
from harness.server.local import LocalServer

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(?:\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
BY_HAND = next(block for block in BLOCKS if "createdb crm" in block)
LINES = [line.removeprefix("$ ") for block in BLOCKS for line in block.splitlines()]


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("harness ")])
def test_a_command_is_one_that_there_is(line: str) -> None:
    _, name, *arguments = shlex.split(line, comments=True)
    assert cli.commands[name].make_context(name, arguments).command.name == name


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make ")])
def test_a_target_is_one_that_there_is(line: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    words = shlex.split(line.partition("&&")[0], comments=True)[1:]
    assert {word for word in words if "=" not in word} <= set(targets)


@pytest.fixture
def own_server() -> Iterator[LocalServer]:
    """A server where nobody else changes what all databases share: the dry run would notice."""
    server = choose("embedded")
    assert isinstance(server, LocalServer)
    server.start()
    yield server
    server.close()


def test_by_hand_runs_as_it_stands(own_server: LocalServer, tmp_path: Path) -> None:
    for name in ("sql", "fixtures", "tests", "pyproject.toml"):  # the checkout is not written to
        (tmp_path / name).symlink_to(ROOT / name)
    lines = [line for line in BY_HAND.splitlines() if not line.startswith("make venv")]
    environment = {
        key: value for key, value in shell.without().items() if not key.startswith("HARNESS_")
    }
    programs = (str(Path(sys.executable).parent), str(find_client("createdb").parent))
    environment |= {
        "PATH": os.pathsep.join([*programs, os.environ["PATH"]]),
        "PGHOST": str(own_server.socket_dir),
        "PGPORT": str(own_server.port),
        "PGUSER": "postgres",
    }
    done = subprocess.run(
        ["bash", "-ex", "-c", "\n".join(lines)], cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "postgresql:///crm" in BY_HAND
    assert done.stdout.rstrip().endswith("equal")
