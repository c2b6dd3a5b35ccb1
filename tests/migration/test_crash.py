"""Struck at every commit and at a sample of all messages, the migration loses nothing."""

from harness.suite.crash import *  # noqa: F403 - the shipped suite, as it is
