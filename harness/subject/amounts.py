"""How many rows are made, and from which seed, where nobody says so for this run."""

from __future__ import annotations

from pathlib import Path

from harness.subject.project import RowSettings, find_project


def default_rows(otherwise: int, start: Path | None = None) -> int:
    """The project's `rows.count`; where it says none, or there is none, `otherwise`."""
    return _settings(start).count or otherwise


def default_seed(otherwise: int = 1, start: Path | None = None) -> int:
    """The project's `rows.seed`; where it says none, or there is none, `otherwise`."""
    said = _settings(start).seed
    return otherwise if said is None else said


def _settings(start: Path | None) -> RowSettings:
    project = find_project(start)
    return RowSettings() if project is None else project.rows
