"""Texts inside files: where a string of JSON or YAML stands, and how it is edited in place."""
