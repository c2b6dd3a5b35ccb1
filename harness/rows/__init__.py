"""Rows for any schema, made from its catalog.

`fill_schema(dsn, rows=N, seed=S)` gives every table N rows. Same arguments, same rows.
"""

from harness.rows.fill import Filled, Limited, PartlyFilled, Unfilled, fill_schema
from harness.rows.overrides import Overrides, read_overrides

__all__ = [
    "Filled",
    "Limited",
    "Overrides",
    "PartlyFilled",
    "Unfilled",
    "fill_schema",
    "read_overrides",
]
