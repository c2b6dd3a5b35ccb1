"""`harness bench`: benchmarks; each of its subcommands is in a file of its own."""

from __future__ import annotations

import click

from harness.cli.bench_compare import compare


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Compare the benchmarks of two refs."""


for command in (compare,):
    bench.add_command(command)
