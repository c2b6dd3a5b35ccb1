"""report: the page and the Markdown of the last verdict, written again."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import answer, json_option


@click.command()
@json_option
@click.option(
    "--build", type=click.Path(file_okay=False, path_type=Path), default="build", show_default=True
)
def report(as_json: bool, build: Path) -> None:
    """Write the report of the verdict that stands in the build directory again."""
    from harness.scenario.gate import papers

    page = papers.again(build)
    answer({"report": str(page)}, as_json, [f"report in {page}"])
