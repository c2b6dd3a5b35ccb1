"""Databases: made, cloned from templates, and identified by a fingerprint."""
