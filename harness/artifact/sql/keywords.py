"""The words that are no bare names in SQL: those that only a quoted name may be."""

from __future__ import annotations

from typing import Final

from pglast.keywords import RESERVED_KEYWORDS, TYPE_FUNC_NAME_KEYWORDS

RESERVED: Final = frozenset(RESERVED_KEYWORDS) | frozenset(TYPE_FUNC_NAME_KEYWORDS)
