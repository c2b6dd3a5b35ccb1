"""Keeps a foreign command from every database but ours."""
