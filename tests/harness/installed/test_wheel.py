"""The wheel: what is in it, what it needs, and a first migration with nothing but it."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.harness.support.installed import ROOT, Installed, write_shop

NEVER = ("sqlalchemy", "testcontainers", "docker", "factory", "faker", "pytest_benchmark")


def in_wheel(home: Path) -> set[str]:
    """The names of everything in the wheel beside the environment."""
    (wheel,) = home.parent.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture
def shop(installed: Installed, tmp_path: Path) -> Path:
    """An empty directory in which somebody said `harness init` and wrote a plan of two steps."""
    write_shop(installed, tmp_path)
    return tmp_path


def test_it_holds_the_harness_alone_and_all_of_it(installed: Installed) -> None:
    found = in_wheel(installed.home)
    assert {name.split("/")[0] for name in found} == {
        "harness",
        "migration_harness-0.1.0.dist-info",
    }
    listed = subprocess.run(
        ["git", "ls-files", "harness"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert {name for name in listed if (ROOT / name).exists()} - found == set()
    assert not any(name.startswith("harness/reference") for name in found)


def test_its_base_install_brings_no_extra(installed: Installed) -> None:
    text = f"import importlib.util as u; print([n for n in {NEVER!r} if u.find_spec(n)])"
    done = subprocess.run(
        [installed.python, "-c", text], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_every_module_can_be_imported_without_extras(installed: Installed) -> None:
    text = (
        "import importlib, pkgutil, harness\n"
        "for one in pkgutil.walk_packages(harness.__path__, 'harness.'):\n"
        "    if not one.name.endswith('__main__'): importlib.import_module(one.name)\n"
    )
    done = subprocess.run(
        [installed.python, "-W", "error", "-c", text], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    installed: Installed, shop: Path
) -> None:
    done = installed.harness("gate", "--server", "container", cwd=shop)
    assert done.returncode == 3
    assert "pip install 'migration-harness[container]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_example_goes_forward_is_proven_and_goes_back(
    installed: Installed, tmp_path: Path, harness_empty_database: str
) -> None:
    shutil.copytree(ROOT / "examples" / "plan", tmp_path / "plan")
    verbs = (
        ("baseline",),
        ("seed", "--rows", "200"),
        ("validate",),
        ("dry-run",),
        ("backup", "--to", "before.backup"),
        ("migrate", "--backup", "before.backup"),
        ("verify", "--source", "before.backup"),
        ("rollback",),
    )
    for verb in verbs:
        done = installed.harness(*verb, cwd=tmp_path / "plan", dsn=harness_empty_database)
        assert done.returncode == 0, (verb, done.stdout, done.stderr)
