"""Mutants of the harness's own Python, asked of the tests that cover them."""
