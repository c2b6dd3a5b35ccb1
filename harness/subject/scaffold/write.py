"""The files that `harness init` makes: never one that is there already, and all or none."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.subject.project import read_project
from harness.subject.project_search import find_project_file, repository_root, shown
from harness.subject.scaffold.origin import Origin, find_origin
from harness.subject.scaffold.tree import PLAN, Tree, recognise_tree

FILES: Final = Path(__file__).parent / "files"
SUITE: Final = "tests/migration/test_claims.py"
WORKFLOW: Final = ".github/workflows/migration.yml"
GATE: Final = "harness gate --server embedded"


@dataclass(frozen=True)
class Made:
    """What was made, what was there already, and what a person does next."""

    root: Path
    kind: str
    files: tuple[Path, ...]
    kept: tuple[Path, ...]
    next: tuple[str, ...]


def make_start(directory: Path, kind: str | None = None) -> Made:
    """Write what a first run needs into the directory, or into the project that it belongs to.

    Raises UsageError for a tree of another kind than `kind`, for a project file that cannot be
    read, and where a file cannot be written; then none is.
    """
    there = find_project_file(directory)
    root = there.parent if there is not None else directory.resolve()
    tree = _tree_of_project(there, kind) if there is not None else recognise_tree(root, kind)
    origin = find_origin()
    home = repository_root(root)
    wanted = {root / _suite(root): _read(f"{tree.subject_kind}_claims.txt")}
    wanted[home / WORKFLOW] = _workflow(tree, home, root, origin)
    if there is None:
        wanted = {root / "harness.toml": _project_file(tree, root)} | wanted
    files = _write_new(wanted)
    kept = [path for path in wanted if path not in files]
    return Made(
        root,
        tree.subject_kind,
        tuple(files),
        tuple([there, *kept] if there is not None else kept),
        tuple(_next(tree, root, origin)),
    )


def _suite(root: Path) -> str:
    """The first suite, or one that is there."""
    there = sorted((root / SUITE).parent.glob("test_*.py"))
    return there[0].relative_to(root).as_posix() if there else SUITE


def _tree_of_project(file: Path, kind: str | None) -> Tree:
    found = read_project(file, complete=False)
    if kind is not None and (kind == PLAN) != (found.kind == PLAN):
        raise UsageError(
            f"the project is of kind {found.kind} already",
            where=found.where("subject", "kind"),
            hint="leave --from out",
        )
    if found.kind == PLAN:
        return Tree(PLAN, plan=found.path if found.path.is_file() else None)
    return Tree("command", up=found.command.up if found.command else None)


def _project_file(tree: Tree, root: Path) -> str:
    if tree.subject_kind == PLAN:
        plan = tree.plan.relative_to(root) if tree.plan is not None else None
        said = "# path: plan.toml or sql/plan.toml, where there is one"
        if plan is not None:
            said = f"path = {_quoted(plan.as_posix())}"
        suite = Path(_suite(root)).stem.removeprefix("test_")
        return _read("plan.toml").replace("PATH", said).replace("SUITE", _quoted(suite))
    lines = {"up": tree.up, "down": tree.down, "probe": tree.probe}
    text = "\n".join(f"{key} = {_quoted(line)}" for key, line in lines.items() if line)
    return _read("command.toml").replace("COMMANDS", text)


def _workflow(tree: Tree, home: Path, root: Path, origin: Origin) -> str:
    below = root.relative_to(home).as_posix()
    values = {
        "DIRECTORY": _quoted(below) if below != "." else ".",
        "REQUIREMENT": " ".join([f'"{origin.requirement}"', *_own_packages(tree, root)]),
        "COMMAND": GATE,
        "BUILD": _quoted(f"{below}/build") if below != "." else "build",
    }
    return re.sub("|".join(values), lambda found: values[found[0]], _read("workflow.yml"))


def _own_packages(tree: Tree, root: Path) -> list[str]:
    """What pip installs besides, so that a tree's own command can run."""
    if tree.subject_kind == PLAN:
        return []
    if (root / "requirements.txt").is_file():
        return ["-r requirements.txt"]
    return ["."] if (root / "pyproject.toml").is_file() else list(tree.packages)


def _next(tree: Tree, root: Path, origin: Origin) -> list[str]:
    found = []
    if tree.subject_kind == PLAN and tree.plan is None:
        name = re.sub(r"\W+", "_", root.name).strip("_").lower() or "migration"
        found += _read("next_plan.txt").replace("NAME", name).splitlines()
    found.append(f"run {GATE}")
    if origin.wheel is not None:
        found.append(f"for CI put the harness's wheel to {origin.wheel}")
    return found


def _write_new(wanted: Mapping[Path, str]) -> list[Path]:
    """Write those that are not there; the ones that were written."""
    made: list[Path] = []
    lacking = {above for path in wanted for above in path.parents if not above.exists()}
    try:
        for path, text in wanted.items():
            if _write_one(path, text):
                made.append(path)
    except OSError as error:
        for path in made:
            path.unlink()
        for above in sorted(lacking, key=lambda one: -len(one.parts)):
            with suppress(OSError):  # not made yet, or somebody has put something into it
                above.rmdir()
        raise UsageError(
            f"cannot be written: {error.strerror}",
            where=str(shown(Path(error.filename or path))),
            hint="nothing was made",
        ) from None
    return made


def _write_one(path: Path, text: str) -> bool:
    if os.path.lexists(path):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:  # another may have made it meanwhile
            file.write(text)
    except FileExistsError:
        return False
    return True


def _read(name: str) -> str:
    return (FILES / name).read_text("utf-8")


def _quoted(text: str) -> str:
    """A text as TOML and YAML both read it."""
    return json.dumps(text, ensure_ascii=False)
