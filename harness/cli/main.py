"""The command line: `harness COMMAND --dsn DSN`, the edge that knows every part.

Exit status: 0 done, GO; 1 a check failed, NO-GO, or refused by a rule; 2 bad arguments or an
unreadable plan; 3 no server, no connection, no Postgres found; 4 another runner is at work;
5 stopped midway and resumable. With --json exactly one JSON document goes to stdout, everything
else to stderr. Passwords are never printed.
"""

from __future__ import annotations

import dataclasses
import io
import json
import sys
import traceback
from types import TracebackType
from typing import Any

import click

from harness.cli import usage
from harness.cli.backup import backup, restore
from harness.cli.baseline import baseline
from harness.cli.bench import bench
from harness.cli.check import check
from harness.cli.cleanup import cleanup
from harness.cli.control import control
from harness.cli.crash import crash
from harness.cli.dry_run import dry_run
from harness.cli.fingerprint import fingerprint
from harness.cli.gate import gate
from harness.cli.impact import impact
from harness.cli.init import init
from harness.cli.live import live
from harness.cli.maintenance import maintenance
from harness.cli.merge import merge
from harness.cli.metrics import metrics
from harness.cli.migrate import migrate
from harness.cli.mutate import mutate
from harness.cli.notify import notify
from harness.cli.page import page
from harness.cli.report import report
from harness.cli.rollback import rollback
from harness.cli.seed import seed_database
from harness.cli.status import status
from harness.cli.validate import validate
from harness.cli.verify import verify
from harness.cli.watch import watch
from harness.cli.webhooks import webhooks
from harness.core.errors import HarnessError, Reached, Stopped
from harness.core.exit_status import ExitStatus


@click.group(
    cls=usage.Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit status: 0 done, GO; 1 failed, NO-GO or refused; 2 usage; 3 infrastructure; "
        "4 another runner is at work; 5 stopped midway, resumable."
    ),
)
@click.version_option(package_name="migration-harness", prog_name="harness")
def cli() -> None:
    """Run a PostgreSQL migration on real servers, break it on purpose, and judge it."""


for command in (
    init,
    check,
    baseline,
    seed_database,
    validate,
    dry_run,
    backup,
    maintenance,
    migrate,
    status,
    watch,
    metrics,
    page,
    control,
    verify,
    rollback,
    cleanup,
    restore,
    fingerprint,
    crash,
    live,
    mutate,
    bench,
    impact,
    notify,
    webhooks,
    gate,
    merge,
    report,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; expected errors become one sentence and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # names and texts of a database may hold bytes that are no text in any encoding
            stream.reconfigure(errors="backslashreplace")
    sys.excepthook = _tell_bug
    try:
        status = cli.main(prog_name="harness", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _fail(usage.told(error), error.exit_code)
    except click.Abort:
        _fail("stopped by Ctrl-C; run the same again", Stopped.exit_status)
    except HarnessError as error:
        _fail(str(error), error.exit_status, error.reached)
    except Exception as error:
        unreachable = _connection_error(error)
        if unreachable is None:
            raise  # a bug of ours shows its traceback
        _fail(unreachable, ExitStatus.INFRASTRUCTURE)
    else:
        sys.exit(status if isinstance(status, int) else ExitStatus.DONE)


def _fail(message: str, status: int, reached: Reached | None = None) -> None:
    from harness.server.secrets import redact

    message = redact(" ".join(message.split()))  # libpq breaks its lines
    if "--json" in sys.argv:
        document: dict[str, Any] = {"error": message, "exit_status": status}
        document |= dataclasses.asdict(reached) if reached else {}
        click.echo(json.dumps(document))
    click.echo(f"error: {message}", err=True)
    sys.exit(status)


def _tell_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A bug's traceback, which may quote a DSN."""
    from harness.server.secrets import redact

    click.echo(redact("".join(traceback.format_exception(kind, error, trace))), err=True, nl=False)


def _connection_error(error: Exception) -> str | None:
    """One sentence for a server that cannot be reached or was lost, else None."""
    import psycopg

    from harness.core.sqlstate import CONNECTION_LOST, UNREACHABLE

    if not isinstance(error, psycopg.Error):
        return None
    unreachable = isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith(UNREACHABLE)
    )
    if not unreachable and error.sqlstate not in CONNECTION_LOST:
        return None
    from harness.server.session import no_connection

    return str(no_connection(error))
