"""The house: arrows between rooms run one way, no room has a circle, none takes a fifth of it."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import harness

HOME = Path(harness.__file__).parent
CONTRACTS = HOME.parent / "pyproject.toml"
PARTED = ("crash/domain", "scenario")  # rooms whose parts are counted one by one
LEDGER = "migration_control"
SPELL_IT = re.compile(r"runner/ledger\w*\.(py|sql)|database/ledger_names\.py")
INSTEAD = (
    "read it by harness.database.ledger_view, or write {run}, {step} and the like in a statement"
    " and give it to harness.database.ledger_names.spelled"
)


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


def large_rooms(home: Path) -> set[str]:
    """The rooms that take more than a fifth of the lines, as `wc -l` counts *.py and *.sql."""
    lines: Counter[str] = Counter()
    for path in (*home.rglob("*.py"), *home.rglob("*.sql")):
        lines[room_of(path.relative_to(home).parts)] += path.read_bytes().count(b"\n")
    return {room for room, count in lines.items() if count > sum(lines.values()) / 5}


def room_of(parts: tuple[str, ...]) -> str:
    for parted in PARTED:
        if "/".join(parts).startswith(parted):
            return "/".join(parts[: parted.count("/") + 2])
    return parts[0]


def test_no_room_takes_a_fifth_of_the_house() -> None:
    assert large_rooms(HOME) == set()


def test_a_room_that_is_too_large_is_named_and_sql_counts(tmp_path: Path) -> None:
    rooms = ("core", "server", "plan", "rows", "crash/domain/wire", "crash/domain/wal")
    for room in rooms:
        (tmp_path / room).mkdir(parents=True)
        (tmp_path / room / "one.py").write_text("pass\n" * 10)
    assert large_rooms(tmp_path) == set()
    (tmp_path / "core" / "query.sql").write_text("select 1;\n" * 20)
    assert large_rooms(tmp_path) == {"core"}


def ledger_spelled_in(root: Path) -> list[str]:
    """The files that spell the ledger's schema themselves; what people read may name it."""
    found = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix not in (".py", ".sql") or SPELL_IT.fullmatch(name):
            continue
        text = path.read_text("utf-8")
        parts = strings_of(text) if path.suffix == ".py" else [re.sub(r"--.*", "", text)]
        if any(LEDGER in part for part in parts):
            found.append(name)
    return found


def strings_of(source: str) -> list[str]:
    """The strings of a module that are not docstrings."""
    tree = ast.parse(source)
    said = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]


def test_the_ledger_is_spelled_by_its_own_modules_alone() -> None:
    assert ledger_spelled_in(HOME) == [], INSTEAD


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("check/judge.py", 'ASK = "select max(id) from migration_control.run"'),
        ("fault/pins.py", 'STEP = sql.Identifier("migration_control", "step")'),
        ("observe/look.sql", "select state from migration_control.step"),
    ],
)
def test_a_file_that_spells_the_ledger_is_named(tmp_path: Path, file: str, planted: str) -> None:
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_text(f"{planted}\n")
    assert ledger_spelled_in(tmp_path) == [file]


def test_what_people_read_may_name_the_ledger(tmp_path: Path) -> None:
    (tmp_path / "said.py").write_text('"""Of migration_control."""\n# migration_control.run\n')
    (tmp_path / "said.sql").write_text("select 1  -- in migration_control\n")
    assert ledger_spelled_in(tmp_path) == []
