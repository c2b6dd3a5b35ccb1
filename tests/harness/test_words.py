"""Names hold to docs/words.md: one class to a name, no word the page has another one for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import harness

HOME = Path(harness.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "words.md"
DECLARED = {
    "NotApplicable": "a part of a subject, in the gate's document and in a verification",
    "Scene": "a walk with its judge in crash, a database with its users in the suites",
}
"""Names that two classes may share, and why."""


def classes(root: Path) -> Iterator[tuple[str, str]]:
    """Every class below a directory: its name, and its file."""
    for path in sorted(root.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                yield node.name, str(path.relative_to(root))


def glossary() -> list[list[str]]:
    """The cells of every row of the page's table."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def banned() -> set[str]:
    return {word.strip() for row in glossary() for word in row[3].split(",") if word.strip()}


def shared(found: Iterator[tuple[str, str]], declared: Mapping[str, str]) -> dict[str, list[str]]:
    """Names that more than one class bears."""
    places: dict[str, list[str]] = {}
    for name, place in found:
        places.setdefault(name, []).append(place)
    return {n: files for n, files in places.items() if len(files) > 1 and n not in declared}


def misnamed(found: Iterator[tuple[str, str]], words: set[str]) -> list[str]:
    """Classes that bear a word for which the page has another one."""
    return [f"{place}: {name}" for name, place in found if name in words]


def test_no_two_classes_bear_one_name() -> None:
    assert shared(classes(HOME), DECLARED) == {}


def test_no_class_bears_a_word_that_the_page_replaces() -> None:
    assert misnamed(classes(HOME), banned()) == []


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_a_declared_name_is_still_shared(name: str) -> None:
    assert name in shared(classes(HOME), {})


def test_every_class_that_the_page_names_is_there() -> None:
    named = {name for row in glossary() for name in re.findall(r"`(\w+)`", row[2])}
    # an alias such as Verdict is no class statement, but as much a name
    aliases = set(re.findall(r"^(\w+)(?:: \w+)? = ", "\n".join(map(_text, _files())), re.MULTILINE))
    assert len(named) > 30
    assert named - {name for name, _ in classes(HOME)} - aliases == set()


def _files() -> list[Path]:
    return sorted(HOME.rglob("*.py"))


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def test_a_planted_second_class_and_a_planted_word_are_found(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("class Point:\n    pass\n", encoding="utf-8")
    (tmp_path / "two.py").write_text(
        "class Point:\n    pass\nclass Ground: ...\n", encoding="utf-8"
    )
    assert shared(classes(tmp_path), {}) == {"Point": ["one.py", "two.py"]}
    assert misnamed(classes(tmp_path), banned()) == ["two.py: Ground"]
