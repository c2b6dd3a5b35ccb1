"""`harness page`: the status page of a migration, as files or served; its checklist."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from harness.cli.options import (
    answer,
    dsn_option,
    json_option,
    named,
    plan_option,
    window_option,
)
from harness.cli.usage import Seconds
from harness.core.errors import HarnessError, InfrastructureError, UsageError
from harness.core.extras import require_extra

if TYPE_CHECKING:
    from harness.people.page.publisher import Publisher
    from harness.people.page.reader import LedgerReader
    from harness.people.page.tokens import TickTokens
    from harness.plan import Plan

HOST: Final = "127.0.0.1"
WHAT: Final = "the status page"
STATE: Final = "page-state"
"""The directory of ticks and verdict, beside the window, where no other is named."""

F = TypeVar("F", bound=Callable[..., Any])


def window_options(function: F) -> F:
    """--dsn, --plan, --window and --state."""
    state = click.option(
        "--state",
        "state_dir",
        envvar="HARNESS_PAGE_STATE",
        show_envvar=True,
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help=f"where ticks and the verdict are kept; by default {STATE} beside the window",
    )
    return dsn_option(plan_option(window_option(state(function))))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def page() -> None:
    """Tell users how the migration stands: a page, a feed, a calendar and a banner."""


@dataclass(frozen=True)
class _PageFiles:
    """What the page is about, and where it keeps what it needs."""

    plan: Plan
    window: Path
    state: Path


def _place(plan_path: Path, window_file: Path | None, state_dir: Path | None) -> _PageFiles:
    from harness import plan
    from harness.people.window import FILE
    from harness.people.window_file import find_window

    loaded = plan.load(plan_path)
    window = window_file or find_window(plan_path)
    if window is None:
        raise UsageError(
            "no window is planned, and a page tells of one",
            where=str(plan_path.parent / FILE),
            hint="write it, or name one with --window",
        )
    return _PageFiles(loaded, window, state_dir or window.parent / STATE)


def _tell(text: str) -> None:
    from harness.server.secrets import redact

    click.echo(redact(" ".join(text.split())), err=True)


def _reader(dsn: str | None, plan: Plan) -> LedgerReader | None:
    """Who looks at the database that is named; a database that is away now may come back."""
    from harness.people.page.reader import LedgerReader

    if not dsn:
        _tell("no database is named: the page goes by the window alone")
        return None
    target = dsn
    with suppress(InfrastructureError):  # it is told by the first look
        target = named(dsn)
    return LedgerReader(target, plan, _tell, lambda: datetime.now(UTC))


@page.command()
@window_options
@json_option
@click.option(
    "--to",
    "directory",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="write the files there, each whole or not at all",
)
@click.option("--every", type=Seconds(), metavar="TIME", help="again and again, until Ctrl-C")
def build(
    dsn: str | None,
    plan_path: Path,
    window_file: Path | None,
    state_dir: Path | None,
    as_json: bool,
    directory: Path,
    every: float | None,
) -> None:
    """Write the page as files, for any host that serves files."""
    require_extra("people", WHAT)
    from harness.people.page.building import write_publication
    from harness.people.page.publisher import Publisher
    from harness.runner.signals import stop_requested

    place = _place(plan_path, window_file, state_dir)
    reader = _reader(dsn, place.plan)
    publisher = Publisher(
        place.window,
        place.state,
        place.plan,
        (lambda: reader.reading) if reader else None,
        _tell,
        live=False,
    )
    with stop_requested() as stop:
        while True:
            away = _looked(reader)
            written = publisher.publication()
            files = write_publication(directory, written)
            if every is None or _waited(every, stop):
                break
            if away is not None:
                _tell(str(away))
    document = {"state": written.state.name, "percent": written.state.percent, "files": files}
    if away is not None:
        raise InfrastructureError(
            f"the page was written, and says how old it is: {away.message}", hint=away.hint
        )
    lines = [f"page: {written.state.name}; {len(files)} files in {directory}"]
    answer({**document, "directory": str(directory)}, as_json, lines)


def _looked(reader: LedgerReader | None) -> HarnessError | None:
    """Look once; why the database could not be looked at, None where it was."""
    import psycopg

    from harness.server.session import no_connection

    try:
        if reader is not None:
            reader.look()
    except HarnessError as error:
        return error
    except psycopg.OperationalError as error:
        return no_connection(error)
    except psycopg.Error as error:
        return InfrastructureError(
            f"the ledger cannot be read: {' '.join(str(error).split())}",
            hint="the role needs to read the schema of the ledger",
        )
    return None


def _waited(seconds: float, stop: Callable[[], bool]) -> bool:
    """Whether it was asked to stop within the time."""
    from harness.core.poll import wait_until

    with suppress(TimeoutError):
        return wait_until(stop, seconds, "a stop", pause=0.05)
    return False


@page.command()
@window_options
@click.option("--host", default=HOST, show_default=True, metavar="ADDRESS", help="listen there")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any"
)
@click.option(
    "--tokens",
    "tokens_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="who may tick items on the page: a name and a token a line; or HARNESS_PAGE_TOKENS",
)
@click.option(
    "--maintenance-page",
    "maintenance_port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="answer 503 to everything there, in place of the application",
)
@click.option(
    "--unsubscribe",
    "unsubscribe_dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="where who wants no more mails is kept; by default unsubscribe beside the window",
)
def serve(
    dsn: str | None,
    plan_path: Path,
    window_file: Path | None,
    state_dir: Path | None,
    host: str,
    port: int,
    tokens_file: Path | None,
    maintenance_port: int | None,
    unsubscribe_dir: Path | None,
) -> None:
    """Serve the page until Ctrl-C; the database is only read, and may be away."""
    require_extra("people", WHAT)
    from harness.people.page.app import maintenance_app, page_app
    from harness.people.page.publisher import Publisher
    from harness.people.page.serving import address_of, listen, served
    from harness.people.unsubscribe import DIRECTORY, UnsubscribeList
    from harness.runner.signals import stop_requested

    place = _place(plan_path, window_file, state_dir)
    tokens = _tokens(tokens_file)
    reader = _reader(dsn, place.plan)
    with stop_requested() as stop, _looking(reader):
        publisher = Publisher(
            place.window,
            place.state,
            place.plan,
            (lambda: reader.reading) if reader else None,
            _tell,
            ticking=tokens is not None,
        )
        leaving = UnsubscribeList(unsubscribe_dir or place.window.parent / DIRECTORY)
        app = page_app(publisher, tokens=tokens, unsubscribed=leaving, tell=_tell)
        apps = [(app, listen(host, port))]
        if maintenance_port is not None:
            apps.append((maintenance_app(publisher), listen(host, maintenance_port)))
        with served(apps) as alive:
            for _, listening in apps:
                click.echo(address_of(listening), err=True)
            _serve(publisher, stop, alive)


def _serve(publisher: Publisher, stop: Callable[[], bool], alive: Callable[[], bool]) -> None:
    """Until it is asked to stop; meanwhile what the next start should know is kept."""
    while not _waited(1.0, stop):
        publisher.publication()
        if not alive():
            raise InfrastructureError("the page is not served any more", hint="serve it again")


def _tokens(file: Path | None) -> TickTokens | None:
    from harness.people.page.tokens import VARIABLE, parse_tokens, read_tokens

    if file is not None:
        return read_tokens(file)
    given = os.environ.get(VARIABLE, "")
    return parse_tokens(given, VARIABLE) if given.strip() else None


@contextmanager
def _looking(reader: LedgerReader | None) -> Iterator[None]:
    with ExitStack() as stack:
        if reader is not None:
            reader.start()
            stack.callback(reader.stop)
        yield


@page.command()
@window_options
@json_option
@click.argument("item")
@click.option("--by", required=True, metavar="NAME", help="who ticks it")
def tick(
    dsn: str | None,
    plan_path: Path,
    window_file: Path | None,
    state_dir: Path | None,
    as_json: bool,
    item: str,
    by: str,
) -> None:
    """Tick an item of the checklist; with a database, only while that can be seen."""
    from harness.people.page.checklist import TickStore
    from harness.people.page.reader import LedgerReader
    from harness.people.window_file import read_window

    place = _place(plan_path, window_file, state_dir)
    store = TickStore(place.state, read_window(place.window))
    if dsn:
        now = lambda: datetime.now(UTC)  # noqa: E731 - the reader's clock
        away = _looked(LedgerReader(named(dsn), place.plan, _tell, now))
        if away is not None:
            raise InfrastructureError(f"nothing was ticked: {away.message}", hint=away.hint)
    found = store.tick(item, by, datetime.now(UTC))
    lines = [f"{found.item}: ticked by {found.by} at {found.at:%Y-%m-%d %H:%M:%S} UTC"]
    answer({"item": found.item, "by": found.by, "at": found.at.isoformat()}, as_json, lines)
