"""Checkers: they judge evidence and databases, and know nothing of who runs a migration."""
