"""Moved to harness.pytest_plugin; an environment that was not installed anew still loads this."""
