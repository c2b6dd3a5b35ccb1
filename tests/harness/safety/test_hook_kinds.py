"""A package may register a kind of hook: a plan names it, and a finished run delivers it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.support.distribution import plant
from tests.harness.support.runner import plan_of

CODE = """
from pathlib import Path

from harness.plan.hook_kinds import HookKind, HookPlugin

def ring(dsn, hook):
    Path(hook.target[0]).write_text(hook.payload)

PLUGIN = HookPlugin(HookKind("bell", "the file of a bell"), ring)
TAKEN = HookPlugin(HookKind("http", "a file"), ring)
RESERVED = HookPlugin(HookKind("timeout", "a file"), ring)
OTHER = ring
"""


def shown(bell: Path | int) -> str:
    return json.dumps(bell, default=str)


def migrate(
    root: Path, dsn: str, target: str, bells: list[Path | int]
) -> subprocess.CompletedProcess[str]:
    """`harness migrate` where a package registers a kind, of a plan with a hook for each bell."""
    plan = plan_of(root / "plan", ("CREATE TABLE public.a ();", "DROP TABLE public.a;"))
    hooks = "".join(
        f'\n[[hook]]\nname = "ring-{at}"\npayload = "noon"\nbell = {shown(bell)}\n'
        for at, bell in enumerate(bells)
    )
    plan.path.write_text(plan.path.read_text() + hooks)
    around = plant(root, CODE, "harness.hooks", target) | {"HARNESS_DSN": dsn}
    command = [sys.executable, "-m", "harness", "migrate", "--plan", str(plan.path), "--json"]
    return subprocess.run(command, env=around, capture_output=True, text=True, check=False)


def test_a_hook_of_a_registered_kind_is_delivered_and_one_that_breaks_is_owed(
    tmp_path: Path, harness_empty_database: str
) -> None:
    bell, nowhere = tmp_path / "bell", tmp_path / "nowhere" / "bell"
    done = migrate(tmp_path, harness_empty_database, "PLUGIN", [bell, nowhere])
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert bell.read_text() == "noon"
    hooks = json.loads(done.stdout)["hooks"]
    assert [one["state"] for one in hooks] == ["delivered", "failed"]
    assert "FileNotFoundError" in hooks[1]["reason"]


@pytest.mark.parametrize(
    ("target", "bell", "said"),
    [
        ("PLUGIN", 12, "bell is the file of a bell"),
        ("TAKEN", "b", "of planted-kinds, entry point of harness.hooks: a hook has a key 'http'"),
        ("RESERVED", "b", "of planted-kinds, entry point of harness.hooks: a hook has a key 'time"),
        ("OTHER", "b", "of planted-kinds, entry point of harness.hooks: it does not name a HookPl"),
    ],
)
def test_a_kind_that_cannot_be_used_names_its_package(
    tmp_path: Path, target: str, bell: Path | int, said: str
) -> None:
    done = migrate(tmp_path, "postgresql://nobody@127.0.0.1:1/none", target, [bell])
    assert done.returncode == 2
    assert said in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr
