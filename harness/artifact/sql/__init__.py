"""Rewriting SQL by the positions that the parser gives: outside an edit every byte stays."""
