"""A distribution that is really installed registers its own; a broken one is named, not shown."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CODE = """
from harness.report.section.model import Section
SECTION = Section("planted")
NOTHING = 3
"""
INFO = "planted_kinds-1.0.dist-info"
LISTS = "from harness.report.section.registry import list_sections as l; print(l()[-1].name)"


def installed(directory: Path, code: str, target: str, group: str) -> dict[str, str]:
    """The environment of a process in which pip has installed a small distribution."""
    wheel = directory / "planted_kinds-1.0-py3-none-any.whl"
    files = {
        "planted_kinds.py": code,
        f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: planted-kinds\nVersion: 1.0\n",
        f"{INFO}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{INFO}/entry_points.txt": f"[{group}]\nplanted = planted_kinds:{target}\n",
        f"{INFO}/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    options = ("--quiet", "--no-index", "--no-deps", "--target", str(directory / "site"))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True)
    return {**os.environ, "PYTHONPATH": str(directory / "site")}


def test_what_a_distribution_registers_is_there(tmp_path: Path) -> None:
    around = installed(tmp_path, CODE, "SECTION", "harness.report_sections")
    command = [sys.executable, "-c", LISTS]
    done = subprocess.run(command, env=around, capture_output=True, text=True, check=True)
    assert done.stdout == "planted\n"


@pytest.mark.parametrize(
    ("code", "target", "said"),
    [
        ("import no_such_module_of_anybody", "SECTION", "it cannot be loaded: ModuleNotFoundError"),
        ("raise SystemExit(0)", "SECTION", "it cannot be loaded: SystemExit"),
        (CODE, "NOTHING", "it does not name a Domain but int"),
    ],
)
def test_a_broken_distribution_is_one_sentence_that_names_it(
    tmp_path: Path, code: str, target: str, said: str
) -> None:
    around = installed(tmp_path, code, target, "harness.crash_domains")
    command = [sys.executable, "-m", "harness", "crash", "--up", "true"]
    done = subprocess.run(command, cwd=tmp_path, env=around, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"of planted-kinds, entry point of harness.crash_domains: {said}" in done.stderr
    assert "correct or uninstall planted-kinds" in done.stderr
    assert "Traceback" not in done.stderr
