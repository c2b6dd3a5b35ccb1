"""gate: every suite on a real server, then GO or NO-GO."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from harness.cli.command_options import chosen_subject, trust_option
from harness.cli.options import json_option, named_plan_option
from harness.cli.run_options import (
    build_option,
    costs_option,
    pg_version_option,
    rows_option,
    seed_option,
    server_option,
    shard_option,
    workers_option,
)
from harness.core.errors import UsageError
from harness.core.exit_status import ExitStatus
from harness.core.shard import Shard

if TYPE_CHECKING:
    from harness.document.costs import Costs


@click.command()
@json_option
@named_plan_option
@trust_option
@click.option(
    "--dsn",
    envvar="HARNESS_DSN",
    show_envvar=True,
    help="a server that runs already; from the environment only with --server existing",
)
@rows_option(10_000)
@seed_option
@server_option
@pg_version_option
@click.option("--pg-image", envvar="HARNESS_PG_IMAGE", help="container image")
@workers_option(2)
@click.option("--full", is_flag=True, help="with the suite that plants every known gap besides")
@click.option("--keep-failed", is_flag=True, help="keep the databases of failed tests")
@shard_option
@costs_option
@build_option
@click.pass_context
def gate(
    context: click.Context,
    /,
    as_json: bool,
    plan_path: Path | None,
    trust_command: bool,
    dsn: str | None,
    rows: int,
    seed: int,
    server: str,
    pg_version: int | None,
    pg_image: str | None,
    workers: int,
    full: bool,
    keep_failed: bool,
    shard: Shard | None,
    costs: Costs,
    build: Path,
) -> None:
    """Run every suite on a real server and say GO or NO-GO."""
    from harness.document.base import to_builtins
    from harness.scenario.gate import GateSettings, run

    given = context.get_parameter_source("dsn") is ParameterSource.COMMANDLINE
    dsn, server = _where(dsn, given, server)
    subject = chosen_subject(plan_path, trusted=trust_command)
    settings = GateSettings(
        plan=subject if isinstance(subject, Path) else None,
        build=build,
        rows=rows,
        seed=seed,
        server=server,
        dsn=dsn,
        pg_version=pg_version,
        pg_image=pg_image,
        workers=workers,
        full=full,
        keep_failed=keep_failed,
        quiet=as_json,
        trusted=trust_command,
        shard=shard,
        costs=costs,
    )
    verdict = run(settings)
    if as_json:
        click.echo(json.dumps(to_builtins(verdict)))
    sys.exit(ExitStatus.of(verdict.verdict == "GO"))


def _where(dsn: str | None, given: bool, server: str) -> tuple[str | None, str]:
    """The DSN and the server to take; a DSN that lies about in the environment names no server."""
    if given and server not in ("auto", "existing"):
        raise UsageError(
            f"--dsn names a server and --server {server} starts one", hint="leave one of them out"
        )
    if given:
        return dsn, "existing"
    return (dsn if server == "existing" else None), server
