"""The whole plan on a copy, forward and back: nothing is touched; the real run is predicted."""

from harness.suite.dry_run import *  # noqa: F403 - the shipped suite, as it is
