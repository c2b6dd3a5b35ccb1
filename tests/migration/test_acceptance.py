"""The shipped suite as it is: the workflows are those of the project's object."""

from harness.suite.acceptance import *  # noqa: F403
