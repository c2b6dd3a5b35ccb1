"""A database led along a run, step by step: what several domains share."""
