"""The runner: run, resume, roll back and clean up a plan on a database."""

from harness.runner.backward import rollback
from harness.runner.baseline import baseline
from harness.runner.clean import cleanup
from harness.runner.forward import migrate, refuse_start
from harness.runner.outcome import Event, RunOutcome, Status
from harness.runner.status import status

__all__ = [
    "Event",
    "RunOutcome",
    "Status",
    "baseline",
    "cleanup",
    "migrate",
    "refuse_start",
    "rollback",
    "status",
]
