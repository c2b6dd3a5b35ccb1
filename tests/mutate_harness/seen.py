"""The mutants that were seen killed, each with the test that saw it: what CI asks again.

`python -m tests.mutate_harness list RESULTS...` adds to seen.tsv what a run killed. A mutant whose
lines are edited has another name and is no longer of the list, so CI asks for nothing unjudged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from .model import ROOT, Mutant, mutants_of

SEEN: Final = Path(__file__).with_name("seen.tsv")


def read_seen(path: Path = SEEN) -> dict[str, str]:
    """The test that saw a mutant, by the mutant's name."""
    lines = path.read_text().splitlines() if path.is_file() else []
    return dict(line.split("\t") for line in lines)


def write_seen(seen: Mapping[str, str], path: Path = SEEN) -> None:
    """Write the list, in the order of the names."""
    path.write_text("".join(f"{name}\t{test}\n" for name, test in sorted(seen.items())))


def still_there(seen: Iterable[str], root: Path = ROOT) -> list[Mutant]:
    """The mutants of these names whose lines are as they were."""
    names = set(seen)
    paths = sorted({name.split("::")[0] for name in names})
    return [
        mutant
        for path in paths
        if (root / path).is_file()
        for mutant in mutants_of(path, root)
        if mutant.id in names
    ]


def killed_in(results: Iterable[Path]) -> dict[str, str]:
    """The last word of these runs on each mutant, where a test that can be named saw it."""
    last: dict[str, dict[str, str]] = {}
    for result in results:
        for line in result.read_text().splitlines():
            row = json.loads(line)
            last[row["id"]] = row
    return {
        name: row["by"]
        for name, row in last.items()
        if row["state"] == "killed" and "::" in row["by"] and "\t" not in row["by"]
    }
