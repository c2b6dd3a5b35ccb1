"""The identity of a database: take it, save it, compare it, and name what differs.

Four digests: `catalog` (what the objects are), `security` (who may do what), `data` (every value of
every row) and `sequences` (where they stand). Two databases with equal digests cannot be told apart
by a query that does not ask for oids or physical places.
"""

from harness.database.fingerprint.columns import Omitted, column_sums, differing_columns
from harness.database.fingerprint.comparison import compare, compare_rows
from harness.database.fingerprint.file import load, save
from harness.database.fingerprint.model import Difference, Fingerprint, RelationSum
from harness.database.fingerprint.rows import compare_databases, rows_that_differ
from harness.database.fingerprint.taking import take

__all__ = [
    "Difference",
    "Fingerprint",
    "Omitted",
    "RelationSum",
    "column_sums",
    "compare",
    "compare_databases",
    "compare_rows",
    "differing_columns",
    "load",
    "rows_that_differ",
    "save",
    "take",
]
