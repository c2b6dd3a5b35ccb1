"""The project file: what it says, where it is found, and what is refused by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.subject.project import current_project, find_project, read_project

PLAN = 'format = 1\nname = "shop"\nversion = "1"\n'
WHOLE = """
[subject]
kind = "plan"
path = "db"
object = "shop.subject:shop"

[rows]
count = 500
seed = 3

[rows.tables."shop.orders"]
count = 20

[roles]
application = ["web", "batch"]
anonymous = "guest"

[suites]
path = "checks"
required = ["rollback"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A repository with a plan in db/ and suites in checks/."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "checks").mkdir()
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "plan.toml").write_text(PLAN)
    return tmp_path


def in_pyproject(text: str) -> str:
    """The keys of a harness.toml as they stand in pyproject.toml."""
    return '[project]\nname = "shop"\n' + text.replace("[", "[tool.harness.", 1).replace(
        "\n[", "\n[tool.harness."
    ).replace("tool.harness.tool.harness", "tool.harness")


@pytest.mark.parametrize("name", ["harness.toml", "pyproject.toml"])
def test_both_files_hold_the_same_keys(home: Path, name: str) -> None:
    (home / name).write_text(WHOLE if name == "harness.toml" else in_pyproject(WHOLE))
    found = find_project(home)
    assert found is not None
    assert (found.root, found.file, found.kind) == (home, home / name, "plan")
    assert found.path == home / "db" / "plan.toml"
    assert found.object == "shop.subject:shop"
    assert (found.rows.count, found.rows.seed) == (500, 3)
    assert found.rows.tables == {"shop.orders": {"count": 20}}
    assert (found.roles.application, found.roles.anonymous) == (("web", "batch"), ("guest",))
    assert (found.suites.path, found.suites.required) == (home / "checks", ("rollback",))
    lines = (home / name).read_text().split("\n")
    place = found.where("rows", "tables", "shop.orders", "count")
    assert lines[int(place.rpartition(":")[2]) - 1] == "count = 20"


def test_a_command_says_its_lines_and_its_tables(home: Path) -> None:
    (home / "schema.sql").touch()
    (home / "harness.toml").write_text(
        '[subject]\nkind = "command"\npath = "db"\nup = "go up"\ndown = "go down"\n'
        'probe = "look"\nunlock = "free"\nbaseline = "schema.sql"\nbookkeeping = ["a.b"]\n'
        'limit = "10min"\n'
    )
    found = current_project(home)
    assert found.command is not None
    assert (found.kind, found.path) == ("command", home / "db")
    assert (found.command.up, found.command.down) == ("go up", "go down")
    assert (found.command.probe, found.command.unlock) == ("look", "free")
    assert found.command.baseline == (home / "schema.sql",)
    assert (found.command.bookkeeping, found.command.limit) == (("a.b",), 600.0)


def test_the_file_is_found_from_below_as_far_as_the_repository(home: Path) -> None:
    (home / "harness.toml").write_text('[subject]\npath = "db"\n')
    below = home / "a" / "b"
    below.mkdir(parents=True)
    found = find_project(below)
    assert found is not None
    assert found.root == home
    (home / "a" / ".git").mkdir()
    assert find_project(below) is None


def test_a_file_that_is_a_link_speaks_of_the_directory_it_stands_in(home: Path) -> None:
    inner = home / "inner"
    (inner / "db").mkdir(parents=True)
    (inner / "db" / "plan.toml").write_text(PLAN)
    (home / "harness.toml").write_text('[subject]\npath = "db"\n')
    (inner / "harness.toml").symlink_to(home / "harness.toml")
    found = find_project(inner)
    assert found is not None
    assert (found.root, found.path) == (inner, inner / "db" / "plan.toml")


def test_the_nearest_file_counts(home: Path) -> None:
    (home / "harness.toml").write_text('[subject]\npath = "db"\n')
    inner = home / "inner"
    (inner / "sql").mkdir(parents=True)
    (inner / "sql" / "plan.toml").write_text(PLAN)
    (inner / "pyproject.toml").write_text("[tool.harness]\n")
    found = find_project(inner)
    assert found is not None
    assert found.path == inner / "sql" / "plan.toml"


@pytest.mark.parametrize("name", ["plan.toml", "sql/plan.toml"])
def test_without_a_file_a_plan_is_recognised(tmp_path: Path, name: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(PLAN)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    found = current_project(tmp_path)
    assert (found.file, found.kind, found.path) == (None, "plan", tmp_path / name)


def test_nothing_to_migrate_is_a_usage_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(UsageError, match=r"neither a project file nor a plan.*harness init"):
        current_project(tmp_path)


def test_two_project_files_are_refused(home: Path) -> None:
    (home / "harness.toml").write_text("")
    (home / "pyproject.toml").write_text("[tool.harness]\n")
    with pytest.raises(UsageError, match=r"both here; keep one"):
        find_project(home)


def test_the_broken_file_of_somebody_else_is_passed_over(home: Path) -> None:
    (home / "pyproject.toml").write_text("[project\n")
    assert find_project(home) is None
    (home / "pyproject.toml").write_text("[tool.harness\n")
    with pytest.raises(UsageError, match=r"pyproject.toml:1: is not valid TOML"):
        find_project(home)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[subject]\nkin = 'plan'", 2, "unknown key 'kin' in [subject]; did you mean 'kind'"),
        ("[subjekt]\nkind = 'plan'", 1, "unknown key 'subjekt'; did you mean 'subject'"),
        ("subject = 3", 1, "subject must be a table"),
        ("[subject]\n\nkind = 'fly'", 3, "subject.kind is one of plan, command, not 'fly'"),
        ("[subject]\nkind = 3", 2, "subject.kind is one of plan, command, not 3"),
        ("[subject]\npath = ''", 2, "subject.path is a text, not ''"),
        ('[subject]\npath = "a\\u0000b"', 2, "subject.path is a text"),
        ("[subject]\npath = 'gone'", 2, "subject.path: there is no 'gone'"),
        ("[subject]\npath = 'checks'", 2, "there is no plan at 'checks'"),
        ("[subject]\nsince = '--output=x'", 2, "subject.since is a git revision"),
        ("[subject]\nsince = 'v1'", 2, "subject.since has no effect on a subject of kind plan"),
        (
            "[subject]\nkind = 'command'\nup = 'x'\nsince = 'v1'",
            4,
            "subject.since has no effect on a subject of kind command",
        ),
        ("[subject]\nkind = 'command'\nup = 'x'\nlimit = 9", 4, "subject.limit is a time up to"),
        ("[subject]\nkind = 'command'\nup = 'x'\nlimit = '0s'", 4, "subject.limit is a time up to"),
        ("[subject]\nkind = 'command'\nup = 'x'\nlimit = '9d'", 4, "subject.limit is a time up to"),
        ("[subject]\nlimit = '9s'", 2, "subject.limit belongs to kind command"),
        ("[subject]\nobject = 'shop'", 2, 'subject.object is "module:name"'),
        ("[subject]\npath = 'db'\nup = 'x'", 3, "subject.up belongs to kind command"),
        ("[subject]\nkind = 'command'", 2, "a subject of kind command needs a text 'up'"),
        (
            "[subject]\nkind = 'command'\nup = 'x'\nbaseline = [\n 'a.sql',\n]",
            4,
            "subject.baseline: there is no 'a.sql'",
        ),
        ("rows.count = 0", 1, "rows.count is a whole number from 1 to"),
        ("rows.count = true", 1, "rows.count is a whole number from 1 to"),
        ("[rows]\nseed = -1", 2, "rows.seed is a whole number"),
        ("[rows.tables]\na = 1", 1, "rows.tables is a table for each table's name"),
        ("[roles]\napplication = [1]", 2, "roles.application is a text or a list of texts"),
        ("suites = [1]", 1, "suites.required is a text or a list of texts"),
        ("suites.path = 'nowhere'\nsubject.path = 'db'", 1, "suites.path: there is no 'nowhere'"),
        (f"subject.path = '{'x' * 5000}'", 1, "subject.path: there is no 'xxx"),
        ("# a\n\n[tool.harness]\n", 3, "unknown key 'tool'; known are"),
        ("[rows]\n", 1, "there is no plan here: plan.toml or sql/plan.toml"),
    ],
)
def test_a_mistake_is_named_by_file_and_line(home: Path, text: str, line: int, said: str) -> None:
    file = home / "harness.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_project(file)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert said in str(caught.value)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"[rows]\ncount = \xff", ":2: is not valid UTF-8"),
        (b"a =", ":1: is not valid TOML"),
    ],
)
def test_what_is_no_text_is_named_by_line(home: Path, raw: bytes, said: str) -> None:
    (home / "harness.toml").write_bytes(raw)
    with pytest.raises(UsageError, match=said):
        find_project(home)


def test_lines_end_as_windows_ends_them(home: Path) -> None:
    (home / "harness.toml").write_bytes(b"\xef\xbb\xbf[rows]\r\n\r\ncount = 0\r\n")
    with pytest.raises(UsageError, match=r"harness.toml:3: rows.count"):
        find_project(home)
