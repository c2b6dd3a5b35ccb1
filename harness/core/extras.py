"""Parts of the harness whose libraries are not in the base install."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

from harness.core.errors import InfrastructureError

DISTRIBUTION: Final = "migration-harness"
MODULES: Final[Mapping[str, str]] = {
    "api": "openapi_spec_validator",
    "bench": "pytest_benchmark",
    "cluster": "distributed",
    "container": "testcontainers",
    "contract": "sqlalchemy",
    "live": "hdrh",
    "people": "starlette",
    "webhooks": "httpcore",
}
"""The module by which it is seen that an extra is installed."""


def install_line(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def missing_extra(extra: str, what: str) -> InfrastructureError:
    """The error that says what needs the extra, and how it is installed."""
    return InfrastructureError(f"{what} needs the extra {extra!r}", hint=install_line(extra))


def require_extra(extra: str, what: str) -> None:
    """Raise InfrastructureError, with the command that installs it, where an extra is missing."""
    if find_spec(MODULES[extra]) is None:
        raise missing_extra(extra, what)
