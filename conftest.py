"""Loads the harness's pytest plugin; nothing else lives here."""

pytest_plugins = ["harness.plugin"]
