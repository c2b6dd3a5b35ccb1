"""The shipped suite as it is: the queries are those of the project's object."""

from harness.suite.benchmark import *  # noqa: F403
