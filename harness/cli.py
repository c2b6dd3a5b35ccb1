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
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from harness import __version__
from harness.commands import asking, shared, usage
from harness.commands.backup import backup, restore
from harness.commands.dry_run import dry_run
from harness.commands.gate import gate
from harness.commands.mutate import mutate
from harness.commands.report import report
from harness.commands.shared import (
    accept_edit_option,
    answer,
    dsn_option,
    json_option,
    named,
    plan_option,
    unused_plan_option,
)
from harness.commands.status import left_behind, status_lines
from harness.commands.validate import validate
from harness.commands.verdict import (
    accept_rows_option,
    refuse_without_verdict,
    require_verdict_option,
)
from harness.commands.verify import verify
from harness.core.errors import HarnessError, Reached, Stopped, UsageError
from harness.core.exit_status import ExitStatus
from harness.core.writable import refuse_unwritable

SHOWN = 40  # differences that a person is shown


@click.group(
    cls=usage.Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit status: 0 done, GO; 1 failed, NO-GO or refused; 2 usage; 3 infrastructure; "
        "4 another runner is at work; 5 stopped midway, resumable."
    ),
)
@click.version_option(__version__, prog_name="harness")
def cli() -> None:
    """Run a PostgreSQL migration on real servers, break it on purpose, and judge it."""


def database_command(function: Callable[..., Any]) -> click.Command:
    """A command on a named database with a plan, as part of the command line."""
    made = shared.database_command(function)
    cli.add_command(made)
    return made


@database_command
def baseline(dsn: str | None, plan_path: Path, as_json: bool) -> None:
    """Put the plan's baseline (roles and schema) into an empty database."""
    from harness import plan, runner

    loaded = plan.load(plan_path)
    relations = runner.baseline(named(dsn), loaded)
    said = f"{len(relations)} relations" if loaded.baseline else "nothing to do, the plan has none"
    answer({"relations": relations}, as_json, [f"baseline: {said}"])


@cli.command()
@dsn_option
@unused_plan_option
@json_option
@click.option("--rows", default=10_000, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", "number", default=1, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--profile", type=click.Choice(["real", "clean", "hostile"]), default="real", show_default=True
)
def seed(dsn: str | None, as_json: bool, rows: int, number: int, profile: str) -> None:
    """Fill the baseline with synthetic rows: same arguments, same rows."""
    from fixtures.seed import load
    from harness.observe.progress import bar

    with bar("seed", "rows") as advance:
        report = load(named(dsn), rows=rows, seed=number, profile=profile, progress=advance)
    answer(
        dataclasses.asdict(report),
        as_json,
        [f"seeded {report.rows:,} rows in {report.seconds:.2f} s"]
        + [f"  {table:<20}{count:>12,}" for table, count in report.tables.items()],
    )


@database_command
@click.option("--until", metavar="STEP", help="stop after this step, or after this phase")
@click.option(
    "--waive-backup", metavar="REASON", help="recorded with the run: why there is no backup"
)
@click.option(
    "--backup",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="a proven backup of this database as it is: what verify compares the rows with after",
)
@click.option(
    "--waive-validation",
    metavar="REASON",
    help="recorded with the run: why it starts though validate does not pass",
)
@accept_edit_option
@require_verdict_option
@accept_rows_option
def migrate(
    dsn: str | None,
    plan_path: Path,
    as_json: bool,
    until: str | None,
    waive_backup: str | None,
    backup: Path | None,
    waive_validation: str | None,
    accept_edit: str | None,
    verdict_file: Path | None,
    accept_rows: str | None,
) -> None:
    """Run the plan, or resume what a crash or a stop left."""
    from harness import plan, runner
    from harness.observe.progress import steps
    from harness.runner.signals import stop_requested

    loaded = plan.load(plan_path)
    asking.read_checks(loaded)
    target = named(dsn)
    refuse_without_verdict(target, loaded, verdict_file, accept_rows)
    note = asking.refuse_other_backup(target, loaded, backup)
    asked = asking.refuse_unless_valid(target, loaded, waive_validation)
    with stop_requested() as stop, steps("migrate") as on_event:
        outcome = runner.migrate(
            target,
            loaded,
            until=until,
            waive_backup=waive_backup,
            note="; ".join(filter(None, (note, asked.reason() if asked else None))) or None,
            accept_rows=accept_rows,
            accept_edit=accept_edit,
            on_event=on_event,
            stop=stop,
        )
    document = dataclasses.asdict(outcome)
    lines = _outcome_lines("migrate", outcome)
    if asked is not None:
        document["validate"] = asked.document()
        lines += asked.lines()
    failed = False
    if loaded.verify.after and outcome.state == "migrated" and outcome.steps_run:
        found = asking.verify_after(target, loaded, backup)
        document["verify"] = asking.verification_document(found)
        lines += asking.verification_lines(found, loaded)
        failed = document["verify"]["verdict"] == "fail"
    answer(document, as_json, lines)
    if failed:
        sys.exit(ExitStatus.FAILED)


@database_command
@click.option(
    "--override-window", metavar="REASON", help="recorded: why it is rolled back after the window"
)
@accept_edit_option
def rollback(
    dsn: str | None,
    plan_path: Path,
    as_json: bool,
    override_window: str | None,
    accept_edit: str | None,
) -> None:
    """Go back to before the migration, from any point of it."""
    from harness import plan, runner
    from harness.observe.progress import steps
    from harness.runner.signals import stop_requested

    loaded = plan.load(plan_path)
    with stop_requested() as stop, steps("rollback") as on_event:
        outcome = runner.rollback(
            named(dsn),
            loaded,
            override_window=override_window,
            accept_edit=accept_edit,
            on_event=on_event,
            stop=stop,
        )
    lines = _outcome_lines("rollback", outcome)
    for relation, count in outcome.archived.items():
        lines.append(f"  {count:,} rows of {relation} kept in schema migration_archive")
    answer(dataclasses.asdict(outcome), as_json, lines)


def _outcome_lines(verb: str, outcome: Any) -> list[str]:
    more = [
        f"  went on with {one['what']} {one['file']}: {one['reason']}" for one in outcome.accepted
    ]
    said = "cannot be undone exactly" if verb == "migrate" else "is not undone exactly"
    more += [
        f"  {one['step']} {said}: {left_behind(one)}"
        for one in outcome.irreversible
        if one["step"] in outcome.steps_run
    ]
    if not outcome.steps_run:
        return [f"{verb}: nothing to do, the database is {outcome.state}", *more]
    resumed = ", resumed" if outcome.resumed else ""
    steps = f"{len(outcome.steps_run)} steps run, {len(outcome.steps_skipped)} already done"
    figures = f"{outcome.rows:,} rows, {outcome.seconds:.2f} s"
    return [f"{verb}: {outcome.state}{resumed}; {steps}, {figures}", *more]


@database_command
@click.option("--override-retention", metavar="REASON", help="recorded: why it is cleaned up early")
def cleanup(
    dsn: str | None, plan_path: Path, as_json: bool, override_retention: str | None
) -> None:
    """Drop backups, archive and compatibility surface; after this there is no way back."""
    from harness import plan, runner
    from harness.runner.signals import stop_requested

    loaded = plan.load(plan_path)
    with stop_requested() as stop:
        dropped = runner.cleanup(
            named(dsn), loaded, override_retention=override_retention, stop=stop
        )
    answer({"dropped": dropped}, as_json, [f"dropped {name}" for name in dropped])


@database_command
def status(dsn: str | None, plan_path: Path, as_json: bool) -> None:
    """Say where the database stands."""
    from harness import plan, runner

    loaded = plan.load(plan_path)
    found = runner.status(named(dsn), loaded)
    answer(dataclasses.asdict(found), as_json, status_lines(found))


@cli.command()
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


@cli.command()
@click.option("--dsn", hidden=True, help="refused: servers are killed here")
@plan_option
@json_option
@click.option(
    "--points", default="all", show_default=True, metavar="all|N", help="all, or a sample"
)
@click.option("--boundaries", is_flag=True, help="with --points N: every commit boundary besides")
@click.option("--domain", default=None, help="wire,wal,pinned,contended,tampered,environment")
@click.option("--direction", default=None, help="forward,rollback,cleanup")
@click.option("--fault", default=None, help="only these faults, such as cut,unheard,sigkill")
@click.option("--replay", metavar="POINT", help="strike at one point, as a failure prints it")
@click.option(
    "--rows", type=click.IntRange(min=0), default=1000, show_default=True, help="rows to seed"
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--server",
    default="embedded",
    show_default=True,
    type=click.Choice(["embedded", "system", "container", "existing", "auto"]),
)
@click.option("--pg-version", type=int, help="major version of Postgres")
@click.option(
    "--workers",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    help="processes; more than cores, since many faults mostly wait",
)
@click.option(
    "--build", type=click.Path(file_okay=False, path_type=Path), default="build", show_default=True
)
def crash(as_json: bool, plan_path: Path, **choices: Any) -> None:
    """Strike a run at every point, on servers of its own, and prove that nothing is lost."""
    from harness.core.interrupt import interruptible
    from harness.crash import explore
    from harness.crash.tally import Pace
    from harness.crash.telling import words
    from harness.observe.progress import bar

    settings = _exploration(plan_path, choices)
    pace = Pace(lambda line: click.echo(f"  {line}", err=True))  # a log has no bar
    again = "nothing is left of it; run the same again, it begins anew"
    with interruptible("the exploration", again), bar("crash", "points", lines=False) as advance:

        def told(what: str, done: int, total: int) -> None:
            pace.told(what, done, total)
            advance(what, done, total)

        document = explore.run(settings, told)
    answer(document, as_json, list(words(document)))
    sys.exit(ExitStatus.of(document["verdict"] == "pass"))


def _exploration(plan_path: Path, choices: dict[str, Any]) -> Any:
    """The settings of an exploration, or a usage error before anything is started."""
    from harness.crash import settings
    from harness.crash.model import DIRECTIONS, DOMAINS

    if choices.pop("dsn") or choices["server"] == "existing":
        raise UsageError(
            "an existing server is not explored: servers are killed and filled up here",
            hint="leave --dsn and --server out; the exploration starts servers of its own",
        )
    names = ("points", "domain", "direction", "fault")
    points, domain, direction, fault = (choices.pop(name) for name in names)
    if points != "all" and not (points.isdigit() and int(points)):
        raise UsageError(
            f"--points takes all or a whole number, not {points!r}", hint="such as --points 200"
        )
    return settings.Settings(
        plan=plan_path,
        points=None if points == "all" else int(points),
        domains=DOMAINS if domain is None else settings.listed("domain", domain, DOMAINS),
        directions=(
            DIRECTIONS if direction is None else settings.listed("direction", direction, DIRECTIONS)
        ),
        faults=tuple(name.strip() for name in (fault or "").split(",") if name.strip()),
        **choices,
    )


for command in (validate, dry_run, verify, mutate, report, backup, restore, gate):
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

    from harness.core.sqlstate import UNREACHABLE

    lost = isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith(UNREACHABLE)
    )
    if not lost or not isinstance(error, psycopg.Error):
        return None
    from harness.server.session import no_connection

    return str(no_connection(error))


if __name__ == "__main__":
    main()
