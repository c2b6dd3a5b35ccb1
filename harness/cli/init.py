"""`harness init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from harness.cli.options import answer, json_option


def _known(_context: click.Context, _option: click.Parameter, kind: str | None) -> str | None:
    """The kind, or a usage error that names those there are."""
    from harness.subject.scaffold.tree import kinds

    if kind is not None and kind not in kinds():
        raise click.BadParameter(f"{kind!r} is not one of {', '.join(kinds())}")
    return kind


@click.command()
@click.option(
    "--from",
    "kind",
    callback=_known,
    metavar="KIND",
    help="plan, alembic or django; recognised where it is left out",
)
@json_option
def init(kind: str | None, as_json: bool) -> None:
    """Make a project file, a first suite and a CI workflow; overwrite nothing."""
    from harness.subject.scaffold import make_start

    made = make_start(Path.cwd(), kind)

    def said(path: Path) -> str:
        return os.path.relpath(path, Path.cwd())

    document = {
        "files": [said(path) for path in made.files],
        "kept": [said(path) for path in made.kept],
        "subject": made.kind,
        "next": list(made.next),
    }
    lines = [f"made {said(path)}" for path in made.files]
    lines += [f"kept {said(path)}, which was there" for path in made.kept]
    answer(document, as_json, [*lines, "next:", *(f"  {line}" for line in made.next)])
