"""A run as Prometheus reads it: names, help and numbers; no row, no SQL and no DSN in a label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from harness.observe.process_use import ProcessUse
from harness.observe.run_figures import RunFigures
from harness.observe.run_standing import RunStanding

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATES = ("clean", "partial", "migrated", "rolling-back", "rolled-back", "foreign")
Labels = Mapping[str, str]


def exposition(view: RunStanding | None, figures: RunFigures | None = None) -> str:
    """The text of all metrics; for None, a database that could not be looked at, only that."""
    registry = CollectorRegistry()
    told: Any = _Told(list(_families(view, figures)))
    registry.register(told)
    return str(generate_latest(registry), "utf-8")


class _Told:
    """A collector that gives what is known already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """All of it."""
        return self._families


def _gauge(name: str, words: str, *samples: tuple[Labels, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=list(samples[0][0]))
    for labels, value in samples:
        family.add_metric(list(labels.values()), value)
    return family


def _counter(name: str, words: str, *samples: tuple[Labels, float]) -> Metric:
    """Its name ends with _total where it is told."""
    family = CounterMetricFamily(name, words, labels=list(samples[0][0]))
    for labels, value in samples:
        family.add_metric(list(labels.values()), value)
    return family


def _families(view: RunStanding | None, figures: RunFigures | None) -> Iterator[Metric]:
    seen = float(view is not None)
    yield _gauge("harness_up", "whether the database could be looked at", ({}, seen))
    if view is None:
        return
    states = [({"state": one}, float(one == view.state)) for one in STATES]
    yield _gauge("harness_state", "where the database stands: 1 for its state", *states)
    at_work = float(view.at_work)
    yield _gauge("harness_runner_at_work", "whether a runner is at work", ({}, at_work))
    label = {} if view.run is None else {"run": str(view.run), "direction": view.direction}
    if label:
        yield from _run(view, label)
    if figures is not None:
        yield from _measured(figures, label)


def _run(view: RunStanding, label: Labels) -> Iterator[Metric]:
    longest = max((wait.seconds for wait in view.waits), default=0)
    for name, words, value in (
        ("completed", "whether the run came to its end", view.completed),
        ("steps_done", "steps of the run that are done", view.done),
        ("steps", "steps that the run has", view.planned),
        ("rows", "rows that the run has changed", view.rows),
        ("seconds", "seconds since the run began, until it was completed", view.seconds or 0),
        ("held_back", "whether batches are held back, or the run is paused", bool(view.held)),
        ("errors", "failures and stops that the run has not got over", len(view.errors)),
        ("lock_waits", "sessions of the run that wait for a lock", len(view.waits)),
        ("lock_wait_seconds", "seconds of the longest of these waits", longest),
    ):
        yield _gauge(f"harness_run_{name}", words, (label, float(value)))
    if view.step is not None:
        named = {**label, "step": view.step.name}
        words = "rows changed by the step under way"
        yield _gauge("harness_step_rows", words, (named, view.step.rows))
        if view.step.total:
            words = "rows that the step under way has, about"
            yield _gauge("harness_step_rows_expected", words, (named, view.step.total))
    if view.build is not None:
        phased = {**label, "phase": view.build.phase}
        words = "what the phase of the index build has done: transactions, blocks or tuples"
        yield _gauge("harness_index_build_done", words, (phased, view.build.done))
        words = "what that phase has to do"
        yield _gauge("harness_index_build_expected", words, (phased, view.build.total))


def _measured(figures: RunFigures, label: Labels) -> Iterator[Metric]:
    host = figures.host
    seen = {"runner": figures.runner, "host": host, "statements": figures.statements}
    parts = [({"part": name}, float(part is not None)) for name, part in seen.items()]
    yield _gauge("harness_seen", "whether a part can be measured from here", *parts)
    yield from _process("runner", figures.runner)
    if host is not None:
        yield from _process("server", host.server)
        words = "bytes free on the fullest disk of the server"
        yield _gauge("harness_server_disk_free_bytes", words, ({}, host.free_bytes))
        words = "processes of the server's host that want to run, over a minute"
        yield _gauge("harness_server_load", words, ({}, host.load))
    yield from _database(figures)
    if figures.running is not None:
        words = "seconds that the run's statement under way has taken"
        yield _gauge("harness_run_statement_seconds", words, (label, figures.running))
    if figures.steps:
        times = [({**label, "step": one.step}, one.seconds) for one in figures.steps]
        yield _gauge("harness_step_seconds", "seconds of the run's slowest steps", *times)
    if figures.statements:
        yield from _statements(figures)


def _process(name: str, use: ProcessUse | None) -> Iterator[Metric]:
    if use is None:
        return
    words = f"CPU seconds of the {name}, also of its processes that have ended"
    yield _counter(f"harness_{name}_cpu_seconds", words, ({}, use.cpu_seconds))
    words = f"memory of the {name}, what its processes share counted once"
    yield _gauge(f"harness_{name}_memory_bytes", words, ({}, use.memory_bytes))
    for way, value in (("read", use.read_bytes), ("written", use.written_bytes)):
        if value is not None:
            words = f"bytes {way} on disks by the processes of the {name} that live"
            yield _gauge(f"harness_{name}_{way}_bytes", words, ({}, value))


def _database(figures: RunFigures) -> Iterator[Metric]:
    use = figures.database
    for name, words, value in (
        (
            "database_read_bytes",
            "bytes of blocks that the database read",
            use.read_bytes,
        ),
        ("database_found_bytes", "bytes of blocks that were found in memory", use.found_bytes),
        ("database_temporary_bytes", "bytes of temporary files", use.temporary_bytes),
        ("server_wal_bytes", "bytes of WAL that the server has written", use.wal_bytes),
    ):
        if value is not None:
            yield _counter(f"harness_{name}", words, ({}, value))


def _statements(figures: RunFigures) -> Iterator[Metric]:
    found = [({"queryid": one.number}, one) for one in figures.statements or ()]
    calls = [(label, float(one.calls)) for label, one in found]
    yield _counter("harness_statement_calls", "calls of the slowest statements", *calls)
    spent = [(label, one.seconds) for label, one in found]
    yield _counter("harness_statement_seconds", "seconds of the slowest statements", *spent)
    longest = [(label, one.longest) for label, one in found]
    words = "seconds of a statement's longest call"
    yield _gauge("harness_statement_longest_seconds", words, *longest)
