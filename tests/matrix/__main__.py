"""`make matrix`: a gate on every server, version and number of rows that can be had here.

What is missing is said with the gate's own reason; what ran is merged into one verdict. Exit status
as of `harness merge`; 3 where nothing could be had.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import click

INFRASTRUCTURE = 3


@dataclass(frozen=True)
class MatrixCell:
    """A server, a version and a number of rows; every gate judges real and hostile rows."""

    server: str
    version: int
    rows: int

    @property
    def name(self) -> str:
        """What its directory is called."""
        return f"{self.server}-{self.version}-{self.rows}"


def run_gate(cell: MatrixCell, place: Path) -> tuple[int, str]:
    """The gate's exit status, and its last line."""
    words = ("--server", cell.server, "--pg-version", str(cell.version), "--rows", str(cell.rows))
    command = [sys.executable, "-m", "harness", "gate", *words, "--build", str(place / cell.name)]
    (place / cell.name / "verdict.json").unlink(missing_ok=True)  # of an earlier matrix
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return done.returncode, said[-1].strip() if said else "it said nothing"


def numbers(_context: click.Context, _option: click.Parameter, given: str) -> tuple[int, ...]:
    """Numbers with commas or blanks between them."""
    words = given.replace(",", " ").split()
    if not words or not all(word.isdecimal() for word in words):
        raise click.BadParameter(f"{given!r} is not a list of numbers")
    return tuple(dict.fromkeys(int(word) for word in words))


@click.command()
@click.option("--servers", default="embedded,system,container", show_default=True)
@click.option("--versions", default="15,16,17,18", show_default=True, callback=numbers)
@click.option("--rows", default="1000,10000", show_default=True, callback=numbers)
@click.option("--build", default="build/matrix", type=click.Path(path_type=Path), show_default=True)
def main(servers: str, versions: tuple[int, ...], rows: tuple[int, ...], build: Path) -> None:
    """Run every cell that can be had, and merge."""
    found, missing, broken = [], [], []
    for server, version, number in product(servers.replace(",", " ").split(), versions, rows):
        cell = MatrixCell(server, version, number)
        if (server, version) in {(one.server, one.version) for one in missing}:
            continue  # more rows do not bring it here
        status, said = run_gate(cell, build)
        verdict = build / cell.name / "verdict.json"
        if status == INFRASTRUCTURE:
            missing.append(cell)
            click.echo(f"missing: {server} PostgreSQL {version}: {said}")
        elif verdict.exists():
            found.append(verdict)
            click.echo(f"{cell.name}: {said}")
        else:
            broken.append(cell)
            click.echo(f"{cell.name}: no verdict, status {status}: {said}")
    sys.exit(_merged(build, found, broken))


def _merged(build: Path, found: list[Path], broken: list[MatrixCell]) -> int:
    if not found:
        click.echo("error: none of these servers can be had here", err=True)
        return 1 if broken else INFRASTRUCTURE
    command = [sys.executable, "-m", "harness", "merge", *map(str, found)]
    done = subprocess.run([*command, "--out", str(build / "merged.json")], check=False)
    return 1 if broken else done.returncode


if __name__ == "__main__":
    main()
