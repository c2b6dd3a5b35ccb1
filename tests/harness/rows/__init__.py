"""Rows for any schema."""
