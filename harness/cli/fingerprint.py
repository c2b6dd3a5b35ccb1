"""`harness fingerprint`: the identity of a database."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import click

from harness.cli.options import (
    answer,
    dsn_option,
    json_option,
    named,
    unused_plan_option,
)
from harness.core.exit_status import ExitStatus
from harness.core.writable import refuse_unwritable

SHOWN = 40  # differences that a person is shown


@click.command()
@dsn_option
@unused_plan_option
@json_option
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="write it to a file")
@click.option("--compare", type=click.Path(path_type=Path), help="compare with a saved one")
@click.option(
    "--exclude",
    multiple=True,
    metavar="TABLE",
    help="leave this relation out, such as a tool's table of versions; may be given again",
)
def fingerprint(
    dsn: str | None,
    as_json: bool,
    save: Path | None,
    compare: Path | None,
    exclude: tuple[str, ...],
) -> None:
    """Print the identity of a database; with --compare exit 1 when it differs."""
    from harness.database import fingerprint as identity
    from harness.observe.progress import meter

    before = identity.load(compare) if compare else None
    if save:
        refuse_unwritable(save)
    with meter("fingerprint"):
        # what was saved is compared with what leaves out the same
        without = exclude or (before.excluded_relations if before else ())
        # detail names rows that differ
        found = identity.take(named(dsn), detail=bool(save or compare), exclude=without)
    if save:
        identity.save(found, save)
    document: dict[str, Any] = {
        key: getattr(found, key)
        for key in ("catalog", "security", "data", "sequences", "relations")
    }
    document["excluded"] = list(found.excluded_relations)
    lines = [f"{key:<10}{document[key]}" for key in ("catalog", "security", "data", "sequences")]
    lines += [f"without   {name}" for name in found.excluded_relations]
    if before is not None:
        differences = identity.compare(before, found)
        document |= {
            "equal": not differences,
            "differences": [dataclasses.asdict(difference) for difference in differences],
        }
        lines += [f"differs: {difference}" for difference in differences[:SHOWN]] or ["equal"]
        if len(differences) > SHOWN:
            lines.append(f"and {len(differences) - SHOWN} more differences; --json lists all")
    answer(document, as_json, lines)
    if before is not None and not document["equal"]:
        sys.exit(ExitStatus.FAILED)
