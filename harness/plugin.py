"""The pytest edge: one real server for the whole session, sealed templates, a cheap clone a test.

Under xdist the first worker that needs the server starts it (elected by a file lock) in the name of
the controller, which stops it at the end; if the controller is killed, the next start reaps it.
Imports are kept inside functions: the plugin is loaded by every pytest run of the environment.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.plan import Plan
    from harness.server import Server

OPTIONS = {  # option -> (environment variable, default, help)
    "server": ("HARNESS_SERVER", "auto", "auto, container, embedded, system or existing"),
    "version": ("HARNESS_PG_VERSION", None, "major version of Postgres"),
    "image": ("HARNESS_PG_IMAGE", None, "container image"),
    "dsn": ("HARNESS_DSN", None, "the server to use with --pg-server existing"),
    "rows": ("HARNESS_ROWS", "10000", "rows to seed"),
    "seed": ("HARNESS_SEED", "1", "seed of the synthetic rows"),
    "plan": ("HARNESS_PLAN", None, "the plan under test, if not the project's"),
}
pytest_plugins = ["harness.pytest_plugin.redaction", "harness.suite.fixtures"]
pytest.register_assert_rewrite("harness.suite")
_shared_dir = pytest.StashKey[Path]()
_failed = pytest.StashKey[bool]()

TemplateFactory = Callable[..., str]
CloneFactory = Callable[[str], str]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add one option group, one prefix, and an ini twin for each option."""
    group = parser.getgroup("migration harness")
    for name, (variable, default, text) in OPTIONS.items():
        told = f"{text} (environment: {variable}; default: {default or 'none'})"
        group.addoption(f"--pg-{name}", default=None, metavar=name.upper(), help=told)
        parser.addini(f"pg_{name}", told, default=None)
    group.addoption(
        "--keep-failed",
        action="store_true",
        default=False,
        help="keep the databases of failed tests, with their server, and print how to reach them",
    )


def setting(config: pytest.Config, name: str) -> str | None:
    """The value of an option: command line over environment over ini over default."""
    variable, default, _ = OPTIONS[name]
    for value in (
        config.getoption(f"pg_{name}"),
        os.environ.get(variable),
        config.getini(f"pg_{name}"),
    ):
        if value:
            return str(value)
    return default


def _number(config: pytest.Config, name: str) -> int:
    value = setting(config, name) or ""
    if not value.isdigit():
        raise pytest.UsageError(  # of pytest, which has no hint
            f"--pg-{name} takes a whole number, not {value!r}; write it without a unit"
        )
    return int(value)


def pytest_configure(config: pytest.Config) -> None:
    """The controller makes the directory that the workers share; a worker is told of it."""
    worker = getattr(config, "workerinput", None)
    if worker is None:
        config.stash[_shared_dir] = Path(tempfile.mkdtemp(prefix="harness-session-"))
    else:
        config.stash[_shared_dir] = Path(worker["harness_shared_dir"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker where the session's shared directory is."""
    node.workerinput["harness_shared_dir"] = str(node.config.stash[_shared_dir])
    node.workerinput["harness_controller"] = os.getpid()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the session started, unless a failed test's database is to be kept."""
    if hasattr(config, "workerinput") or _shared_dir not in config.stash:
        return
    shared = config.stash[_shared_dir]
    record = shared / "server.json"
    if record.exists() and not (shared / "kept").exists():
        from harness.server import attach

        server = attach(json.loads(record.read_text()))
        if HANDED_ON in os.environ:
            pass  # the gate, whose server it is, tidies up
        elif server.provider == "existing":
            _drop_templates(server.dsn())
        else:
            server.close()
    shutil.rmtree(shared, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how to reach the databases that failed tests left behind."""
    kept = config.stash[_shared_dir] / "kept" if _shared_dir in config.stash else None
    if kept is not None and kept.exists() and not hasattr(config, "workerinput"):
        terminalreporter.write_sep("-", "databases kept for failed tests, until the next run")
        terminalreporter.write(kept.read_text())


def _drop_templates(dsn: str) -> None:
    from harness.database import template

    template.drop_all(dsn)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which server, why, and what was passed over."""
    from harness.core.errors import HarnessError

    rows, seed = setting(config, "rows"), setting(config, "seed")
    try:
        server = choose_server(config, os.getpid())
    except HarnessError as error:
        return [f"migration-harness: no server: {error}"]
    what = f"{server.provider} PostgreSQL {server.version}, rows {rows}, seed {seed}"
    lines = [
        f"migration-harness: {what}",
        f"  because {server.why}",
    ]
    return lines + [f"  passed over: {reason}" for reason in server.passed_over]


HANDED_ON = "HARNESS_SERVER_RECORD"
"""In the environment during a gate: the record of its server, which the suites share and leave."""


def choose_server(config: pytest.Config, owner: int) -> Server:
    """The server that the session's settings name, not yet started; `owner` is whose it is."""
    from harness.server import attach, choose

    if HANDED_ON in os.environ:
        return attach(json.loads(os.environ[HANDED_ON]))
    version = setting(config, "version")
    return choose(
        setting(config, "server") or "auto",
        version=int(version) if version else None,
        image=setting(config, "image"),
        dsn=setting(config, "dsn"),
        profile="fast",  # the suites kill runners, never this server: its files need not survive
        owner_pid=owner,
    )


@pytest.fixture(scope="session")
def harness_server(request: pytest.FixtureRequest) -> Server:
    """One running server, shared by all workers of the session."""
    from filelock import FileLock

    from harness.server import attach, reap

    config = request.config
    shared = config.stash[_shared_dir]
    owner = getattr(config, "workerinput", {}).get("harness_controller", os.getpid())
    record = shared / "server.json"
    with FileLock(shared / "server.lock"):
        if not record.exists():
            if HANDED_ON not in os.environ:
                reap()
            server = choose_server(config, owner)
            server.start()
            server.wait_ready(60)
            record.write_text(json.dumps(server.record()))
    return attach(json.loads(record.read_text()))


@pytest.fixture(scope="session")
def harness_plan(request: pytest.FixtureRequest) -> Plan:
    """The plan under test."""
    from harness.plan import load
    from harness.subject.choice import default_plan

    root, named = request.config.rootpath, setting(request.config, "plan")
    return load(root / named if named else default_plan(root))


@pytest.fixture(scope="session")
def harness_rows(request: pytest.FixtureRequest) -> int:
    """How many rows the suites seed."""
    return _number(request.config, "rows")


@pytest.fixture(scope="session")
def harness_seed(request: pytest.FixtureRequest) -> int:
    """The seed of the synthetic rows."""
    return _number(request.config, "seed")


@pytest.fixture(scope="session")
def harness_template(
    harness_server: Server, harness_plan: Plan, harness_rows: int, harness_seed: int
) -> TemplateFactory:
    """Return a factory: make(rows=None, profile="real", seed=None) -> a sealed template."""
    from harness.database import template
    from harness.runner import baseline
    from harness.subject.choice import seeder_of

    default_rows, default_seed = harness_rows, harness_seed
    fill = seeder_of(harness_plan.name)

    def make(rows: int | None = None, profile: str = "real", seed: int | None = None) -> str:
        count, number = rows or default_rows, default_seed if seed is None else seed

        def build(dsn: str) -> None:
            baseline(dsn, harness_plan)
            fill(dsn, rows=count, seed=number, profile=profile)

        return template.ensure(
            harness_server.dsn(), f"seed-{count}-{number}-{profile}-{harness_plan.hash}", build
        )

    return make


@pytest.fixture(scope="session")
def harness_migrated_template(
    harness_server: Server, harness_plan: Plan, harness_template: TemplateFactory
) -> TemplateFactory:
    """Return a factory like `harness_template`, of databases migrated (as far as `until`)."""
    from harness.database import template
    from harness.runner import migrate

    def make(*, until: str | None = None, **arguments: Any) -> str:
        source = harness_template(**arguments)

        def build(dsn: str) -> None:
            migrate(dsn, harness_plan, until=until)

        return template.ensure(harness_server.dsn(), f"{source}-until-{until}", build, base=source)

    return make


@pytest.fixture
def harness_clone(request: pytest.FixtureRequest, harness_server: Server) -> Iterator[CloneFactory]:
    """Return a factory: harness_clone(template) -> DSN of a database of this test's own."""
    made: list[str] = []

    def make(template_name: str) -> str:
        from harness.database import template

        made.append(template.clone(harness_server.dsn(), template_name))
        return made[-1]

    yield make
    _finish(request, harness_server, made)


@pytest.fixture
def harness_empty_database(request: pytest.FixtureRequest, harness_server: Server) -> Iterator[str]:
    """DSN of a new, empty database."""
    from harness.database import admin

    name = admin.unique_name("harness_empty")
    admin.create(harness_server.dsn(), name)
    dsn = admin.with_dbname(harness_server.dsn(), name)
    yield dsn
    _finish(request, harness_server, [dsn])


@pytest.fixture
def harness_baseline(harness_empty_database: str, harness_plan: Plan) -> str:
    """DSN of a new database that holds the plan's baseline and no rows."""
    from harness.runner import baseline

    baseline(harness_empty_database, harness_plan)
    return harness_empty_database


@pytest.fixture(scope="module")
def harness_source(harness_server: Server, harness_template: TemplateFactory) -> Iterator[str]:
    """DSN of a seeded database to read, shared by a module."""
    yield from _module_clone(harness_server, harness_template())


@pytest.fixture(scope="module")
def harness_target(
    harness_server: Server, harness_migrated_template: TemplateFactory
) -> Iterator[str]:
    """DSN of a migrated database to read, shared by a module; its source is `harness_source`."""
    yield from _module_clone(harness_server, harness_migrated_template())


def _module_clone(server: Server, template_name: str) -> Iterator[str]:
    from harness.database import admin, template

    dsn = template.clone(server.dsn(), template_name)
    yield dsn
    admin.drop(server.dsn(), admin.dbname(dsn))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test failed, for the fixtures that clean up after it."""
    outcome: Any = yield
    if outcome.get_result().failed:
        item.stash[_failed] = True


def _finish(request: pytest.FixtureRequest, server: Server, made: list[str]) -> None:
    from harness.database import admin
    from harness.server import keep as keep_server
    from harness.server import mask

    keep = request.config.getoption("keep_failed") and request.node.stash.get(_failed, False)
    for dsn in made:
        if keep:
            with (request.config.stash[_shared_dir] / "kept").open("a") as kept:
                kept.write(f"{request.node.nodeid}: psql '{mask(dsn)}'\n")
            keep_server(server.record())
        else:
            admin.drop(server.dsn(), admin.dbname(dsn))
