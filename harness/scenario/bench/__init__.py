"""Benchmarks of a subject, and the same benchmarks of two refs compared."""
