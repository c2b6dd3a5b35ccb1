"""PgBouncer's PAUSE and RESUME around a run: pooled clients wait instead of being refused.

The address of its console is in the environment, for a password may be in it. A process of its own
pauses and resumes, so that a harness that is killed or stopped leaves no pooler paused.
"""

from harness.safety.pooler.console import ADDRESS
from harness.safety.pooler.pause import PoolerPause, paused, resume_left

__all__ = ["ADDRESS", "PoolerPause", "paused", "resume_left"]
