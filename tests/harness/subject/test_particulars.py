"""What only a project knows: its object is loaded, and what is wrong with it is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.plan import load
from harness.subject.choice import default_plan, is_default_plan, made_of, seeder_of
from harness.subject.particulars import load_particulars
from harness.subject.project import current_project

PLAN = 'format = 1\nname = "shop"\nversion = "1"\n[[phase]]\nid = "1"\nname = "a"\ntitle = "A"\n'
SEEDER = """
from harness.subject.particulars import Particulars
from harness.subject.protocol import Seeded

def make_orders(dsn, *, rows, seed, profile="real", progress=None):
    return Seeded(rows, 0.0, {"orders": rows})

shop = Particulars(seeder=make_orders, made_of=("MODULE.py",))
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with a plan of one step; what it puts on the path of imports is taken off."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    (tmp_path / ".git").mkdir()
    step = tmp_path / "sql" / "phases" / "1_a"
    step.mkdir(parents=True)
    (tmp_path / "sql" / "plan.toml").write_text(PLAN)
    for direction in ("forward", "rollback"):
        (step / f"010_x.{direction}.sql").write_text("SELECT 1;\n")
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("shop_"):
            del sys.modules[name]


def write_object(home: Path, module: str, text: str, name: str = "shop") -> None:
    """A project whose object is in a module with this text."""
    (home / f"{module}.py").write_text(text.replace("MODULE", module))
    (home / "harness.toml").write_text(f'[subject]\nobject = "{module}:{name}"\n')


def test_the_row_maker_of_the_project_makes_the_rows_of_its_plan(home: Path) -> None:
    write_object(home, "shop_good", SEEDER)
    project = current_project(home)
    made = seeder_of("shop", project)("", rows=7, seed=1)
    assert (made.rows, made.tables) == (7, {"orders": 7})
    assert load_particulars(project).seeder is seeder_of(None, project)


def test_it_makes_no_rows_of_another_plan(home: Path) -> None:
    write_object(home, "shop_mine", SEEDER)
    project = current_project(home)
    assert seeder_of("bakery", project) is not load_particulars(project).seeder


def test_what_rows_are_made_of_is_told(home: Path) -> None:
    write_object(home, "shop_made", SEEDER)
    plan = load(home / "sql" / "plan.toml")
    assert made_of(plan, current_project(home)).paths == (home / "shop_made.py",)


@pytest.mark.parametrize(
    ("module", "text", "said"),
    [
        ("shop_none", "", "module 'shop_none' has no 'shop'"),
        ("shop_other", "shop = 3", "shop_other:shop is a int, not a harness.subject"),
        ("shop_raises", "\n1 / 0", "ZeroDivisionError: division by zero"),
        ("shop_exits", "raise SystemExit('gone')", "SystemExit: gone"),
        ("shop_syntax", "shop = (", "SyntaxError"),
        ("shop_lacks", "import not_there_at_all", "No module named 'not_there_at_all'"),
        ("shop_path", SEEDER.replace("MODULE.py", "rows"), "names 'rows', which is not in"),
    ],
)
def test_a_broken_object_is_named_by_the_line_of_the_project_file(
    home: Path, module: str, text: str, said: str
) -> None:
    write_object(home, module, text)
    with pytest.raises(UsageError) as caught:
        load_particulars(current_project(home))
    assert str(caught.value).startswith(f"{home / 'harness.toml'}:2: ")
    assert said in str(caught.value)


def test_a_module_that_is_not_there_is_named(home: Path) -> None:
    write_object(home, "shop_gone", "")
    (home / "shop_gone.py").unlink()
    with pytest.raises(UsageError, match=r"there is no module 'shop_gone'; it is imported from"):
        load_particulars(current_project(home))


def test_the_default_plan_is_that_of_the_project(home: Path) -> None:
    assert default_plan(home / "sql") == home / "sql" / "plan.toml"
    assert is_default_plan(home / "sql" / "plan.toml", home)
    assert not is_default_plan(home / "other" / "plan.toml", home)


def test_a_command_of_the_project_is_not_taken_for_a_plan(home: Path) -> None:
    (home / "harness.toml").write_text('[subject]\nkind = "command"\nup = "x"\n')
    with pytest.raises(UsageError, match=r"harness.toml:2: the subject is of kind command"):
        default_plan(home)


def test_nothing_of_the_harness_needs_the_fixtures(tmp_path: Path) -> None:
    """Every module is imported where `fixtures` cannot be."""
    text = (
        "import importlib, pkgutil, sys, harness\n"
        "sys.modules['fixtures'] = None\n"
        "for one in pkgutil.walk_packages(harness.__path__, 'harness.'):\n"
        "    if not one.name.endswith('__main__'): importlib.import_module(one.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
