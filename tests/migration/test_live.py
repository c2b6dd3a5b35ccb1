"""The shipped suite as it is: the CRM's clients are what the project's object says."""

from harness.suite.live import *  # noqa: F403
