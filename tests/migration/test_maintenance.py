"""The shipped suite as it is."""

from harness.suite.maintenance import *  # noqa: F403
