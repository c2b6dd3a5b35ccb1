"""`harness bench`: benchmarks; each of its subcommands is in a file of its own."""

from __future__ import annotations

import click

from harness.cli.bench_compare import compare
from harness.cli.bench_run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Run the benchmarks, or compare those of two refs."""


for command in (run, compare):
    bench.add_command(command)
