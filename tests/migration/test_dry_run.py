"""The whole plan on a copy, forward and back: nothing is touched, and the real run is foretold."""

from harness.suite.dry_run import *  # noqa: F403 - the shipped suite, as it is
