"""The two profiles, fast and durable: read from `profiles.toml`, where they are written down."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Final

from harness.core.errors import UsageError

NAMES: Final = ("fast", "durable")


def settings(profile: str) -> dict[str, str]:
    """All settings of `profile`, the common ones included, in a stable order."""
    if profile not in NAMES:
        raise UsageError(f"unknown profile {profile!r}", hint="use one of " + ", ".join(NAMES))
    tables = tomllib.loads(
        resources.files(__package__).joinpath("profiles.toml").read_text("utf-8")
    )
    return {name: str(value) for name, value in {**tables["common"], **tables[profile]}.items()}


def as_file(values: dict[str, str]) -> str:
    """The settings as lines of a postgresql.conf."""
    return "".join(f"{name} = {quoted(value)}\n" for name, value in values.items())


def as_arguments(values: dict[str, str]) -> list[str]:
    """The settings as arguments of `postgres`."""
    return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]


def quoted(value: str) -> str:
    """A value as postgresql.conf wants it."""
    return "'" + value.replace("'", "''") + "'"
