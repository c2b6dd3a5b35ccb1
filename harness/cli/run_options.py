"""Options of commands that start servers and make rows: each means the same wherever it stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from harness.core.errors import UsageError
from harness.core.provider import PROVIDERS
from harness.core.shard import Shard, parse_shard

if TYPE_CHECKING:
    from harness.document.costs import Costs

Option: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

server_option: Option = click.option(
    "--server",
    type=click.Choice(PROVIDERS),
    default="auto",
    show_default=True,
    envvar="HARNESS_SERVER",
    show_envvar=True,
    help="where the Postgres comes from",
)
pg_version_option: Option = click.option(
    "--pg-version",
    type=int,
    envvar="HARNESS_PG_VERSION",
    show_envvar=True,
    help="major version of Postgres",
)


def _seed(context: click.Context, _option: click.Parameter, given: int | None) -> int:
    """What is given, or what the project file says, or 1."""
    if given is not None or context.resilient_parsing:
        return given or 0
    from harness.subject.amounts import default_seed

    return default_seed()


seed_option: Option = click.option(
    "--seed",
    type=click.IntRange(min=0),
    callback=_seed,
    show_default="the project's rows.seed, or 1",
    envvar="HARNESS_SEED",
    show_envvar=True,
    help="what chance begins from: same seed, same rows, same sample",
)
build_option: Option = click.option(
    "--build",
    type=click.Path(file_okay=False, path_type=Path),
    default="build",
    show_default=True,
    help="the directory for what is written",
)


def _shard(_context: click.Context, _option: click.Parameter, given: str | None) -> Shard | None:
    return None if given is None else parse_shard(given)


def _costs(context: click.Context, _option: click.Parameter, given: Path | None) -> Costs:
    from harness.document.costs import NO_COSTS, read_costs

    return NO_COSTS if given is None or context.resilient_parsing else read_costs(given)


shard_option: Option = click.option(
    "--shard",
    callback=_shard,
    metavar="I/N",
    help="a share of it, such as 1/4; harness merge puts the shares together",
)
scheduler_option: Option = click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="do it on the workers of this dask scheduler: tls://HOST:PORT, or one on loopback",
)
costs_option: Option = click.option(
    "--costs",
    callback=_costs,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="with --shard: an earlier document; shares are cut by the seconds that it measured",
)


def rows_option(default: int, least: int = 1, *, capped: bool = False) -> Option:
    """`--rows`: about how many rows are made, at least so many.

    By default as many as the project file says, or so many; `capped`: never more by default.
    """

    def chosen(context: click.Context, _option: click.Parameter, given: int | None) -> int:
        if given is not None or context.resilient_parsing:
            return given or 0
        from harness.subject.amounts import default_rows

        return min(default_rows(default), default) if capped else default_rows(default)

    said = f"the project's rows.count{', if that is less' if capped else ''}, or {default}"
    return click.option(
        "--rows",
        type=click.IntRange(min=least),
        callback=chosen,
        show_default=said,
        envvar="HARNESS_ROWS",
        show_envvar=True,
        help="rows to seed",
    )


def workers_option(default: int, why: str = "") -> Option:
    """`--workers`: processes that work at a time; `why` explains a default of its own."""
    return click.option(
        "--workers",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        envvar="HARNESS_WORKERS",
        show_envvar=True,
        help="processes at a time" + (f"; {why}" if why else ""),
    )


def own_server(provider: str, why: str) -> str:
    """The provider of a server that a command starts and may kill: for `auto` the embedded one.

    Raises UsageError for an existing server, and says `why` it is not taken.
    """
    if provider == "existing":
        raise UsageError(
            why,
            hint="leave --dsn out, and --server or HARNESS_SERVER; it starts servers of its own",
        )
    return "embedded" if provider == "auto" else provider
