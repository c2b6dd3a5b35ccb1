"""Checks of the migrated database: plain functions that return what is wrong, in words.

`READING` only read, so they share one database; `TRYING` write and take back what they wrote.
"""

from __future__ import annotations

from types import ModuleType

from ..support import Check
from . import (
    access,
    cascade,
    instep,
    invariants,
    junctions,
    limits,
    mapping,
    rules,
    search,
    security,
    settings,
    shape,
    views,
    vocabulary,
)


def _checks(*modules: ModuleType) -> tuple[Check, ...]:
    return tuple(
        function
        for module in modules
        for name, function in vars(module).items()
        if name.startswith("check_")
    )


SETTINGS = _checks(settings)
READING = _checks(shape, settings, mapping, invariants, views, search, security)
ROWS = _checks(mapping, invariants, views, search)
INVARIANTS = _checks(invariants)
TRYING = _checks(rules, instep, junctions, cascade, access, vocabulary, limits)
