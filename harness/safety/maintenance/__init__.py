"""Maintenance mode: the application's roles are read-only, by a leased barrier in the server.

A trigger on the subject's tables refuses what these roles write while the lease lasts. The lease
ends by the database's clock, whatever became of who asked for it.
"""

from harness.safety.maintenance.held import HeldLease, holding
from harness.safety.maintenance.request import MaintenanceRequest
from harness.safety.maintenance.standing import MaintenanceStatus, read_status
from harness.safety.maintenance.switch import turn_off, turn_on

__all__ = [
    "HeldLease",
    "MaintenanceRequest",
    "MaintenanceStatus",
    "holding",
    "read_status",
    "turn_off",
    "turn_on",
]
