"""Locks, rivals and limits: a run that others stand in the way of."""
