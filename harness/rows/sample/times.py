"""Dates and times: recent ones more often; none depends on the day on which they are made."""

from __future__ import annotations

import random
import re
from datetime import date, datetime, timedelta
from typing import Final

from harness.rows.sample.field import Sampler, ValueField

ANCHOR: Final = datetime(2025, 6, 30, 18, 0)
"""What rows take for the present."""
_PAST: Final = 1500
_FUTURE: Final = re.compile(r"due|expire|expir|until|deadline|valid_to|ends?_|closing|next_")
_LEAST, _MOST = datetime(1, 1, 2), datetime(9999, 12, 30)
_TIMES: Final = r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?"


def read_moment(text: str | None) -> datetime | None:
    """The moment of a constant, its zone left aside; None when it is none that Python knows."""
    match = re.match(_TIMES, text or "")
    if match is None or (text or "").endswith("BC"):
        return None
    try:
        return datetime(*[int(part or 0) for part in match.groups()])  # type: ignore[arg-type]
    except ValueError:
        return None


def moment_bounds(field: ValueField) -> tuple[datetime, datetime]:
    """Between which moments a value lies."""
    low, high = read_moment(field.hints.low), read_moment(field.hints.high)
    if low is None and high is None:
        ahead = 400 if _FUTURE.search(field.name.lower()) else 0
        return ANCHOR - timedelta(_PAST), ANCHOR + timedelta(ahead)
    if low is None:
        high = min(high or ANCHOR, ANCHOR) if (high or ANCHOR) > ANCHOR else high or ANCHOR
        return max(high - timedelta(min(_PAST, (high - _LEAST).days)), _LEAST), high
    if high is None:
        high = ANCHOR if low < ANCHOR else low + timedelta(min(_PAST, (_MOST - low).days))
    return low, max(high, low)


def sample_moment(field: ValueField, rng: random.Random) -> datetime:
    """A moment, a recent one more likely; whole seconds."""
    low, high = moment_bounds(field)
    seconds = int((high - low).total_seconds())
    inside = max(seconds - 1, 0) if field.hints.high_open or field.hints.high else seconds
    ago = int((inside + 1) * rng.random() ** 2)
    return min(max(high - timedelta(seconds=ago), low), high)


def _day(field: ValueField, rng: random.Random) -> str:
    if field.edge(rng):
        return rng.choice(["infinity", "-infinity", "0001-01-01 BC", "9999-12-31", "2024-02-29"])
    day = sample_moment(field, rng).date()
    high = read_moment(field.hints.high)
    if field.hints.high_open and high is not None and day >= high.date():
        day -= timedelta(1)
    return _written(day)


def _written(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}"


def _timestamp(field: ValueField, rng: random.Random) -> str:
    if field.edge(rng):
        return rng.choice(
            ["infinity", "-infinity", "0001-01-01 00:00:00 BC", "9999-12-31 23:59:59.999999"]
        )
    moment = sample_moment(field, rng)
    text = f"{_written(moment.date())} {moment:%H:%M:%S}"
    if field.type.name == "timestamptz":
        return f"{text}+00"
    return text


def _time(field: ValueField, rng: random.Random) -> str:
    low, high = _seconds(field.hints.low, 0), _seconds(field.hints.high, 86_399)
    value = rng.randint(low, max(low, high - (field.hints.high_open and high > low)))
    text = f"{value // 3600:02d}:{value // 60 % 60:02d}:{value % 60:02d}"
    if field.edge(rng):
        text = rng.choice(["00:00:00", "24:00:00", "23:59:59.999999"])
    return f"{text}+00" if field.type.name == "timetz" else text


def _seconds(text: str | None, default: int) -> int:
    match = re.match(r"(\d\d):(\d\d)(?::(\d\d))?", text or "")
    if match is None:
        return default
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _interval(field: ValueField, rng: random.Random) -> str:
    if field.edge(rng):
        return rng.choice(["0", "-1 day", "100 years", "1 month -1 day", "00:00:00.000001"])
    months, days = int(24 * rng.random() ** 3), int(30 * rng.random() ** 2)
    return f"{months} months {days} days {rng.randrange(24)}:{rng.randrange(60):02d}:00"


SAMPLERS: Final[dict[str, Sampler]] = {
    "date": _day,
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
    "time": _time,
    "timetz": _time,
    "interval": _interval,
}
