"""Faults: what is done to a run from outside. Nothing here knows of plans or of verdicts."""
