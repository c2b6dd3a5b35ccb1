"""A strike that came to nothing on a busy machine is made again; whatever it left counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.crash.domain.wire.sweep import NOT_FIRED, until_fired
from harness.crash.model import CoverageRow, Point

POINT = Point("wire", "forward", "1/010_a", "m01", "stall")
FIRED = CoverageRow(POINT, True, "pass")
MISSED = CoverageRow(POINT, False, "fail", reason=NOT_FIRED)
DAMAGED = CoverageRow(POINT, False, "fail", reason=f"{NOT_FIRED}; a row is lost")


@pytest.mark.parametrize(
    ("strikes", "tries", "found"),
    [
        ([FIRED], 3, FIRED),
        ([MISSED, FIRED], 3, FIRED),
        ([MISSED, MISSED, MISSED], 3, MISSED),  # never a pass
        ([MISSED], 1, MISSED),
        ([DAMAGED], 3, DAMAGED),  # a strike that fires later does not hide it
    ],
)
def test_a_strike_is_made_again_until_it_fires(
    strikes: list[CoverageRow], tries: int, found: CoverageRow
) -> None:
    left: Iterator[CoverageRow] = iter(strikes)
    assert until_fired(lambda: next(left), tries) == found
    assert list(left) == []
