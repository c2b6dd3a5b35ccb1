"""A run as Prometheus reads it: names, help and numbers; no row, no SQL and no DSN in a label."""

from __future__ import annotations

from collections.abc import Iterator

from harness.observe.run_standing import RunStanding

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATES = ("clean", "partial", "migrated", "rolling-back", "rolled-back", "foreign")
Sample = tuple[dict[str, str], float]


def exposition(view: RunStanding | None) -> str:
    """The text of all metrics; for None, a database that could not be looked at, only that."""
    found: list[tuple[str, str, list[Sample]]]
    found = [("harness_up", "whether the database could be looked at", [({}, float(bool(view)))])]
    if view is not None:
        found += list(_metrics(view))
    return "".join(_spelled(*one) for one in found)


def _metrics(view: RunStanding) -> Iterator[tuple[str, str, list[Sample]]]:
    yield (
        "harness_state",
        "where the database stands: 1 for its state",
        [({"state": one}, float(one == view.state)) for one in STATES],
    )
    yield "harness_runner_at_work", "whether a runner is at work", [({}, float(view.at_work))]
    if view.run is None:
        return
    label = {"run": str(view.run), "direction": view.direction}
    for name, words, value in (
        ("completed", "whether the run came to its end", view.completed),
        ("steps_done", "steps of the run that are done", view.done),
        ("steps", "steps that the run has", view.planned),
        ("rows", "rows that the run has changed", view.rows),
        ("seconds", "seconds since the run began, until it was completed", view.seconds or 0),
        ("held_back", "whether batches are held back, or the run is paused", bool(view.held)),
        ("errors", "failures and stops that the run has not got over", len(view.errors)),
        ("lock_waits", "sessions of the run that wait for a lock", len(view.waits)),
        (
            "lock_wait_seconds",
            "seconds of the longest of these waits",
            max((wait.seconds for wait in view.waits), default=0),
        ),
    ):
        yield f"harness_run_{name}", words, [(label, float(value))]
    if view.step is not None:
        named = {**label, "step": view.step.name}
        yield "harness_step_rows", "rows changed by the step under way", [(named, view.step.rows)]
        if view.step.total:
            words = "rows that the step under way has, about"
            yield "harness_step_rows_expected", words, [(named, view.step.total)]
    if view.build is not None:
        phased = {**label, "phase": view.build.phase}
        words = "what the phase of the index build has done: transactions, blocks or tuples"
        yield "harness_index_build_done", words, [(phased, view.build.done)]
        words = "what that phase has to do"
        yield "harness_index_build_expected", words, [(phased, view.build.total)]


def _spelled(name: str, words: str, samples: list[Sample]) -> str:
    lines = [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{pairs}}} {value:.15g}" if pairs else f"{name} {value:.15g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
