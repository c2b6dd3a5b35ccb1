"""The suites of a command: what can be asked of a migration that another tool runs."""
