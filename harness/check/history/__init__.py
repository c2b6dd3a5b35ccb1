"""The checker of histories: every acknowledged write once, every refused one absent.

An unknown write is there once or not at all; nothing else is there; and what a client was told is
there stays readable.
"""

from harness.check.history.check import HistoryResult, check_history

__all__ = ["HistoryResult", "check_history"]
