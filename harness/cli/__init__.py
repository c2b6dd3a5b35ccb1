"""The command line, one file a command; `main` puts them together."""

from harness.cli.main import cli, main

__all__ = ["cli", "main"]
