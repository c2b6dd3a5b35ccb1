"""A dry run as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.scenario.dry_run.model import mode_words
from harness.scenario.dry_run.squawk import NOTHING


def lines(document: dict[str, Any]) -> Iterator[str]:
    """The answer first, then findings, then each step with what stopped users."""
    yield f"dry run: {document['verdict']}" + _copied(document["copy"])
    for finding in document["findings"]:
        yield f"  {finding['severity']}: {finding['where']}: {finding['message']}"
        for line in finding["evidence"].splitlines():
            yield f"      {line}"
        if finding["hint"]:
            yield f"    {finding['hint']}"
    for direction, key in (("forward", "estimate_seconds"), ("rollback", "rollback_seconds")):
        if document[key] is not None:
            yield f"  {direction}: {document[key]:.2f} s to expect"
            yield from _steps(document["steps"], direction)
    way_back = document["way_back"]
    if way_back["equal"] is not None:
        found = "as before" if not way_back["unexplained"] else "NOT as before"
        if found == "as before" and not way_back["equal"]:
            found += ", but for what irreversible steps leave"
        yield f"  after the rollback everything is {found}"


def _copied(copy: dict[str, Any] | None) -> str:
    if copy is None:
        return ""
    size = copy["bytes"] / 2**20
    return f", on a copy of {size:.0f} MiB made in {copy['seconds']:.1f} s ({copy['how']})"


def _steps(steps: list[dict[str, Any]], direction: str) -> Iterator[str]:
    for step in steps:
        if step["direction"] != direction:
            continue
        wal, temp = step["wal_bytes"] / 1024, step["temp_bytes"] / 1024
        yield (
            f"    {step['id']:<36}{step['seconds'] * 1000:>9.1f} ms{step['rows']:>10,} rows"
            f"{wal:>10,.0f} KiB WAL" + (f"{temp:>9,.0f} KiB temp" if temp else "")
        )
        yield from _stopped(step["locks"])
        for lint in step["squawk"]:
            if lint["happened"] != NOTHING:
                yield f"        squawk {lint['rule']}, line {lint['line']}: {lint['happened']}"


def _stopped(locks: list[dict[str, Any]]) -> Iterator[str]:
    for lock in locks:
        if lock["stops"]:
            held = f"{mode_words(lock['mode'])} on {lock['relation']}"
            more = ", written anew" if lock["rewrites"] else ""
            more += f", {lock['rows_read']:,} rows read" if lock["rows_read"] else ""
            wait = f"{lock['stops']} wait at most {lock['seconds'] * 1000:.1f} ms"
            yield f"        {held}: {wait}{more}"
