"""The markers, and what `postgres` leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from harness.pytest_plugin.server_choice import chosen_server

MARKERS: Final = (
    "benchmark_suite: measures speed; run apart from xdist",
    "alone: the other workers of the session wait meanwhile: it measures, or loads the machine",
    "sabotage_suite: plants every known gap in a copy of the plan",
    "postgres(since, until, icu): what a server must have; others leave the test out",
)
NEEDS: Final = frozenset({"since", "until", "icu"})


def pytest_configure(config: pytest.Config) -> None:
    """Register them, so that a project with --strict-markers need not."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that the server at hand cannot run, and let pytest count them."""
    marked = [item for item in items if any(_needs(item))]
    if not marked:
        return
    from harness.core.errors import HarnessError

    try:
        server = chosen_server(config)
    except HarnessError:
        return  # the header and the first test that needs it say so
    out = {item for item in marked if not _fits(item, server.version, server.provider)}
    items[:] = [item for item in items if item not in out]
    config.hook.pytest_deselected(items=list(out))


def _needs(item: pytest.Item) -> list[Mapping[str, Any]]:
    # a project may have a marker of this name that means something else
    marks = (mark.kwargs for mark in item.iter_markers("postgres"))
    return [needs for needs in marks if needs and NEEDS.issuperset(needs)]


def _fits(item: pytest.Item, version: int, provider: str) -> bool:
    return all(
        needs.get("since", 0) <= version <= needs.get("until", version)
        # the wheel's server is built without ICU
        and not (needs.get("icu") and provider == "embedded")
        for needs in _needs(item)
    )
