"""The house: arrows between rooms run one way, no room has a circle, none takes a fifth of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import harness

HOME = Path(harness.__file__).parent
CONTRACTS = HOME.parent / "pyproject.toml"
PARTED = ("crash/domain",)  # a room whose parts are counted one by one


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(HOME, tmp_path / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CONTRACTS, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "planted", "named"),
    [
        ("server/dsn.py", "from harness.cli import main", "harness.server is not allowed"),
        ("check/judge.py", "from harness.crash import explore", "harness.check is not allowed"),
        ("core/text.py", "from harness.core import loop", "harness.core"),
    ],
)
def test_a_planted_arrow_is_named(copied: Path, file: str, planted: str, named: str) -> None:
    target = copied / "harness" / file
    target.write_text((target.read_text() if target.exists() else "") + f"\n{planted}\n")
    (copied / "harness" / "core" / "loop.py").write_text("from harness.core import text\n")
    done = lint_imports(copied)
    assert done.returncode == 1
    assert named in done.stdout


def test_no_room_takes_a_fifth_of_the_house() -> None:
    lines: Counter[str] = Counter()
    for path in HOME.rglob("*.py"):
        parts = path.relative_to(HOME).parts
        room = parts[0]
        for parted in PARTED:
            if "/".join(parts).startswith(parted):
                room = "/".join(parts[: parted.count("/") + 2])
        lines[room] += len(path.read_text().splitlines())
    whole = sum(lines.values())
    assert {room: count for room, count in lines.items() if count > whole / 5} == {}
