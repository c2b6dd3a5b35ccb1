"""Crash exploration: strike a run at every point, then prove that nothing was lost."""
