"""Crashes within one statement, where a server that is pinned waits."""
