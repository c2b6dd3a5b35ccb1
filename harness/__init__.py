"""Run a PostgreSQL migration on real servers, break it on purpose, and judge it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> object:
    """The version, looked up when somebody asks: that costs as much as starting Python."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("migration-harness")
