"""Loads the harness's pytest plugin, and pytest's own for tests of plugins."""

pytest_plugins = ["harness.pytest_plugin", "pytester"]
