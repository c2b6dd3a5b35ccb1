"""Run a PostgreSQL migration on real servers, break it on purpose, and judge it."""

from importlib.metadata import version

__version__ = version("migration-harness")
