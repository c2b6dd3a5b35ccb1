"""Each ref installed apart: its tree, its own harness in an environment of its own, its project.

A tree that is no harness is another team's project: there the harness at work serves both arms.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any, Final

from harness.core.child import dies_with_us
from harness.core.errors import UsageError
from harness.core.extras import DISTRIBUTION
from harness.scenario.bench.compare.arm_process import InstalledArm
from harness.scenario.bench.compare.lock import differs_from_lock
from harness.scenario.bench.compare.refs import GitRef, GitRepository, check_out
from harness.scenario.bench.compare.sample import Arm
from harness.server.shell import without

LOCK: Final = "requirements.lock"
BACKEND: Final = "hatchling"
DRIVER: Final = Path(__file__).with_name("driver.py")
ERROR: Final = re.compile(r"[\w.]*(Error|Exception|Invalid\w*): |ERROR: (?!Failed)")
STRANGE: Final = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV")


def install_arm(arm: Arm, ref: GitRef, repository: GitRepository, place: Path) -> InstalledArm:
    """The ref, installed below `place`; raises UsageError where it does not install."""
    tree = place / "tree"
    check_out(repository, ref, tree)
    project = tree / repository.prefix
    if not project.is_dir():
        raise UsageError(
            f"the directory {repository.prefix!r} is not in {ref.name}",
            where=str(repository.root), hint="run it where both refs have the project",
        )  # fmt: skip
    shutil.copy(DRIVER, place / "driver.py")
    (place / "commit").write_text(ref.commit, "utf-8")
    own = _is_harness(tree)
    python = _install(ref, tree, place / "env") if own else Path(sys.executable)
    return InstalledArm(arm, ref.name, ref.commit, place, project, python, own, _environment())


def _is_harness(tree: Path) -> bool:
    try:
        return str(_project_table(tree)["name"]) == DISTRIBUTION
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError):
        return False


def _project_table(tree: Path) -> dict[str, Any]:
    with (tree / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table


def _install(ref: GitRef, tree: Path, place: Path) -> Path:
    """The Python of an environment that holds the ref's harness.

    What it depends on is shared with this one, which both arms then have alike, unless the ref's
    lock asks for another: then it gets what its lock says.
    """
    lock = tree / LOCK
    apart = differs_from_lock(lock, _project_table(tree).get("dependencies", []))
    venv.create(place, with_pip=apart, symlinks=True)
    python = place / "bin" / "python"
    if apart:
        if lock.exists():
            _pip(ref, python, "--require-hashes", "--requirement", str(lock))
        _pip(ref, python, str(tree))
    else:
        _share_packages(place)
        alone = ["--no-build-isolation"] if _has_backend() else []
        _pip(ref, python, "--no-deps", *alone, str(tree))
    return python


def _share_packages(place: Path) -> None:
    """Let an environment see the packages of this one, behind its own."""
    shared = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (inside,) = place.glob("lib/python*/site-packages")
    (inside / "shared.pth").write_text("".join(f"{path}\n" for path in shared), "utf-8")


def _has_backend() -> bool:
    from importlib.util import find_spec

    return find_spec(BACKEND) is not None


def _pip(ref: GitRef, python: Path, *arguments: str) -> None:
    command = [
        sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet",
        "--disable-pip-version-check", "--no-input", *arguments,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, errors="replace",
        env=_environment(), preexec_fn=dies_with_us(),
    )  # fmt: skip
    if done.returncode:
        raise UsageError(
            f"{ref.name} does not install: {_reason(done.stderr)}",
            hint="install that ref by hand to see all of it",
        )


def _reason(said: str) -> str:
    """The line of pip's account that says why: that of Python, or else pip's own."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if ERROR.match(line)]
    return (errors or lines or ["pip says nothing"])[-1][:300]


def _environment() -> dict[str, str]:
    """What both arms are told alike; nothing of the shell's that leads elsewhere."""
    kept = {
        name: value
        for name, value in without().items()
        if name not in STRANGE and not (name.startswith("HARNESS_") and name != "HARNESS_CACHE")
    }
    return {
        **kept,
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "NO_COLOR": "1",
        "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
    }
