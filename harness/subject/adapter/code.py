"""Trees of code, which only their own tool can run: recognised, and what to do is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class CodeTree:
    """A tool whose revisions are code: by what it is recognised, and its own two commands."""

    tool: str
    is_here: Callable[[Path], bool]
    up: str
    down: str


def _above(root: Path, name: str) -> bool:
    return any((place / name).exists() for place in (root, root.parent))


def _holds(root: Path, pattern: str, words: str) -> bool:
    return any(
        words in path.read_text("utf-8", errors="replace")
        for path in list(root.glob(pattern))[:50]
        if path.is_file()
    )


TREES: Final = (
    CodeTree(
        "Alembic",
        lambda root: _above(root, "alembic.ini") or _holds(root, "*.py", "down_revision"),
        "alembic upgrade head",
        "alembic downgrade base",
    ),
    CodeTree(
        "Django",
        lambda root: _above(root, "manage.py") or _holds(root, "*.py", "migrations.Migration"),
        "python manage.py migrate",
        "python manage.py migrate APP zero",
    ),
    CodeTree(
        "Knex",
        lambda root: any(_above(root, f"knexfile.{end}") for end in ("js", "ts", "cjs", "mjs")),
        "knex migrate:latest",
        "knex migrate:rollback --all",
    ),
    CodeTree(
        "Sequelize",
        lambda root: _above(root, ".sequelizerc"),
        "sequelize db:migrate",
        "sequelize db:migrate:undo:all",
    ),
    CodeTree(
        "TypeORM",
        lambda root: _holds(root, "*.ts", "MigrationInterface"),
        "typeorm migration:run",
        "typeorm migration:revert -t none",
    ),
    CodeTree(
        "ActiveRecord",
        lambda root: _holds(root, "*.rb", "ActiveRecord::Migration"),
        "rails db:migrate",
        "rails db:rollback STEP=999",
    ),
    CodeTree(
        "Ecto",
        lambda root: _holds(root, "*.exs", "Ecto.Migration"),
        "mix ecto.migrate",
        "mix ecto.rollback --all",
    ),
    CodeTree(
        "goose in Go",
        lambda root: _holds(root, "*.go", "goose.Add"),
        "your program's up",
        "your program's down",
    ),
    CodeTree(
        "node-pg-migrate in JavaScript",
        lambda root: _holds(root, "*.[jt]s", "pgm."),
        "node-pg-migrate up",
        "node-pg-migrate down 999",
    ),
)


def find_code(root: Path) -> CodeTree | None:
    """The tool whose code a directory holds, if one is known."""
    return next((tree for tree in TREES if tree.is_here(root)), None)
