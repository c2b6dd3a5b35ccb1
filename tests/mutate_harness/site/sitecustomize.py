"""Follows a child process of a traced test; on the PYTHONPATH of such tests only."""

import os

if os.environ.get("HARNESS_TRACE"):
    from tests.mutate_harness.follower import follow

    follow()
