"""`harness merge`: many documents into one, with one verdict."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import answer, json_option
from harness.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from harness.document.merge import MergeDocument

SHOWN = 20  # reasons at a terminal; the document has all of them


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@json_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="write the merged document there, and beside it a page that ends in .html",
)
@click.option(
    "--verdict",
    "verdict_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="write the verdict of the one gate there, for migrate --require-verdict",
)
def merge(
    files: tuple[Path, ...], as_json: bool, out: Path | None, verdict_path: Path | None
) -> None:
    """Put shards and cells of a matrix together: GO only if all is there and passed."""
    from harness.core.errors import UsageError
    from harness.core.jsonfile import write_json
    from harness.core.writable import refuse_unwritable
    from harness.document.base import to_builtins
    from harness.report import merge_page
    from harness.scenario.merge import merge_files

    for path in (out, verdict_path):
        if path is not None:
            refuse_unwritable(path)
    document = merge_files(files)
    if verdict_path is not None:
        if len(document.gates) != 1:
            raise UsageError(
                f"--verdict wants the shards of one gate, there are {len(document.gates)} gates",
                hint="leave --verdict out, or merge the files of one server, version and rows",
            )
        write_json(verdict_path, to_builtins(document.gates[0]), indent=2)
    if out is not None:
        write_json(out, to_builtins(document))
        merge_page.render(document, out.with_suffix(".html"))
    answer(document, as_json, list(_words(document)))
    sys.exit(ExitStatus.of(document.verdict == "GO"))


def _words(document: MergeDocument) -> Iterator[str]:
    for file in document.files:
        share = f" {file.shard}" if file.shard else ""
        why = f": turned away, {file.why}" if file.why else ""
        yield f"  {file.verdict:<8}{file.kind}{share}  {file.path}{why}"
    for reason in document.reasons[:SHOWN]:
        yield f"  because {reason}"
    if len(document.reasons) > SHOWN:
        yield f"  and {len(document.reasons) - SHOWN} more reasons; --json has them all"
    told = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in document.figures.items() if n)
    yield f"{document.verdict}: {told}"
