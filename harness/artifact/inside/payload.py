"""What a trigger sent, before and after: tables, columns, and the keys and values of its JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from harness.artifact.inside.firing import Row
from harness.artifact.inside.trial import Comparison

Sent = Mapping[str, tuple[Row, ...]]
SHOWN: Final = 8
_GONE: Final = object()


def compare_payloads(first: Sent, again: Sent, second: Sent) -> Comparison:
    """Whether the same was sent; what differs between two writes before is its own affair."""
    was, twice, now = (dict(_leaves("", spell(sent))) for sent in (first, again, second))
    steady = {path for path in was if twice.get(path, _GONE) == was[path]}
    missing = [path for path in was if path not in now]
    new = [path for path in now if path not in was and path not in twice]
    other = [path for path in was if path in steady and path in now and was[path] != now[path]]
    if not (missing or new or other):
        return Comparison("same")
    evidence = [
        *(f"{path}: {_shown(was[path])} before, {_shown(now[path])} after" for path in other),
        *(f"{path}: gone" for path in missing),
        *(f"{path}: new" for path in new),
    ]
    counts = [f"{len(other)} values differ", f"{len(missing)} are gone", f"{len(new)} are new"]
    reason = f"it sends otherwise: {', '.join(c for c in counts if not c.startswith('0 '))}"
    keys = _key_counts(first, second)
    if keys:
        reason += f"; {keys}"
    shown = evidence[:SHOWN]
    if len(evidence) > SHOWN:
        shown.append(f"… {len(evidence) - SHOWN} more")
    return Comparison("differs", reason, evidence=tuple(shown))


def spell(sent: Sent) -> Any:
    """What was sent as one value; texts that hold JSON are opened."""
    return {table: [_opened(row) for row in rows] for table, rows in sent.items()}


def _opened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _opened(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_opened(one) for one in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return _opened(json.loads(value))
        except ValueError:
            return value
    return value


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every value with its path."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, one)
    elif isinstance(value, list) and value:
        for place, one in enumerate(value):
            yield from _leaves(f"{path}[{place}]", one)
    else:
        yield path, value


def _key_counts(first: Sent, second: Sent) -> str:
    """How many keys the largest part of the JSON had and has: that is the row."""
    was, now = (max(_records(spell(sent)), default=0) for sent in (first, second))
    return f"a record of {was} keys has {now}" if was != now else ""


def _records(value: Any, depth: int = 0) -> Iterator[int]:
    if isinstance(value, dict):
        if depth > 1:
            yield len(value)
        for one in value.values():
            yield from _records(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _records(one, depth + 1)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]
