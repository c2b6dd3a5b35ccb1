"""The shipped suite as it is: the window is sql/window.toml."""

from harness.suite.people import *  # noqa: F403
