"""Times of a zone: one that its clock leaves out is refused, one that comes twice is asked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NAME: Final = re.compile(r"[A-Za-z][\w+-]*(/[A-Za-z][\w+-]*)*")
OTHER_CLOCKS: Final = ("right/", "posix/")
"""Directories of some systems' data: the first counts leap seconds."""


class BadTime(ValueError):  # noqa: N818 - reads as what it is
    """A time or a zone that is not one; says why, and what to write instead."""


def find_zone(name: str) -> ZoneInfo:
    """The zone of that name; BadTime where the IANA data has none."""
    if NAME.fullmatch(name) and not name.startswith(OTHER_CLOCKS):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, OSError, ValueError):
            pass  # a directory of zones is an OSError, a file that is none a ValueError
    raise BadTime(f"{name!r} is not a time zone; name one of IANA's such as 'Europe/Zurich'")


def place_time(time: datetime, zone: ZoneInfo) -> datetime:
    """A written time as a time of the zone; BadTime for one that the zone does not have.

    With an offset the time is exact, and the offset has to be one that the zone has then.
    """
    try:
        return _placed(time, zone)
    except OverflowError:
        raise BadTime(f"{time} is out of the range of times") from None


def _placed(time: datetime, zone: ZoneInfo) -> datetime:
    if time.microsecond:
        raise BadTime(f"{time} has a fraction of a second; write whole seconds")
    if time.tzinfo is not None:
        return _with_offset(time, zone)
    first, second = (time.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        first.astimezone(UTC)  # the last hours of the last year overflow
        return first
    # of a time in a gap both readings lie elsewhere: the first after it, the second before it
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != time:
        after = first.astimezone(UTC).astimezone(zone)
        raise BadTime(
            f"{time} does not exist in {zone}: its clock is put forward over it; "
            f"{after.replace(tzinfo=None)} is the same moment"
        )
    offsets = " or ".join(spell_offset(one) for one in (first, second))
    raise BadTime(
        f"{time} comes twice in {zone}: its clock is put back; write the offset, {offsets}"
    )


def _with_offset(time: datetime, zone: ZoneInfo) -> datetime:
    placed = time.astimezone(zone)
    if placed.utcoffset() != time.utcoffset():
        raise BadTime(
            f"{time} has an offset that {zone} does not have then; it is {spell_offset(placed)}"
        )
    return placed


def spell_offset(time: datetime) -> str:
    """The offset from UTC, such as +02:00."""
    offset = time.utcoffset()
    assert offset is not None, "a time of a zone"
    sign, distance = ("-", -offset) if offset < timedelta() else ("+", offset)
    minutes = int(distance.total_seconds()) // 60
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"
