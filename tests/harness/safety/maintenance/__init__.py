"""Maintenance mode on real servers."""
