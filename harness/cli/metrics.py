"""`harness metrics`: a run's figures for Prometheus, read from the ledger."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import dsn_option, named, plan_option
from harness.cli.usage import Seconds
from harness.core.errors import HarnessError, InfrastructureError, UsageError
from harness.core.poll import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.plan import Plan

HOST = "127.0.0.1"


@click.command()
@dsn_option
@plan_option
@click.option(
    "--file",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="write the figures there, whole or not at all",
)
@click.option(
    "--every", type=Seconds(), metavar="TIME", help="with --file: again and again, until Ctrl-C"
)
@click.option(
    "--listen",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help=f"answer scrapes on {HOST} until Ctrl-C; 0 takes any port",
)
def metrics(
    dsn: str | None, plan_path: Path, file: Path | None, every: float | None, listen: int | None
) -> None:
    """Give a run's figures to Prometheus, in a file or on a port; the database is only read."""
    from harness import plan
    from harness.runner.signals import stop_requested

    if (file is None) == (listen is None):
        raise UsageError(
            "no place for the figures", hint="give one of --file FILE and --listen PORT"
        )
    if every is not None and file is None:
        raise UsageError("--every goes with --file", hint="a scrape has its own pace")
    loaded, target = plan.load(plan_path), named(dsn)
    with stop_requested() as stop:
        if file is not None:
            while True:
                _write(file, _figures(target, loaded))
                if every is None or _waited(every, stop):
                    return
        assert listen is not None, "one of both is given"
        serve(listen, lambda: scraped(target, loaded), stop, lambda at: click.echo(at, err=True))


def _write(file: Path, text: str) -> None:
    from harness.core.jsonfile import write_whole

    try:
        write_whole(file, text)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(file)) from error


def _figures(dsn: str, plan: Plan) -> str:
    from harness.observe.metrics import exposition
    from harness.runner.watching import look_and_measure, watching

    with watching(dsn) as conn:
        return exposition(*look_and_measure(conn, plan))


def scraped(dsn: str, plan: Plan) -> str:
    """The figures, or that the database could not be looked at: a scrape outlives the server."""
    import psycopg

    from harness.observe.metrics import exposition

    try:
        return _figures(dsn, plan)
    except (HarnessError, psycopg.Error):
        return exposition(None)


def _waited(seconds: float, stop: Callable[[], bool]) -> bool:
    """Whether it was asked to stop within the time."""
    with contextlib.suppress(TimeoutError):
        return wait_until(stop, seconds, "a stop", pause=0.05)
    return False


def serve(
    port: int,
    figures: Callable[[], str],
    stop: Callable[[], bool],
    tell: Callable[[str], None],
) -> None:
    """Answer scrapes until it is asked to stop; `tell` is given the address."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    from harness.observe.metrics import CONTENT_TYPE

    class Scrape(BaseHTTPRequestHandler):
        """Answers GET /metrics."""

        def do_GET(self) -> None:
            """The figures."""
            found = self.path.partition("?")[0] in ("/", "/metrics")
            body = figures().encode() if found else b"see /metrics\n"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", CONTENT_TYPE if found else "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
            """A scrape is no news."""

        timeout = 10.0

    try:
        server = HTTPServer((HOST, port), Scrape)
    except OSError as error:
        raise InfrastructureError(
            f"port {port} of {HOST} cannot be listened to: {error.strerror}",
            hint="name another, or 0 for any",
        ) from error
    with server:
        server.timeout = 0.2
        tell(f"http://{HOST}:{server.server_port}/metrics")
        while not stop():
            server.handle_request()
