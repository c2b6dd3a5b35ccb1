"""Mails of a window: who is told what and when, each once, and a ledger of it."""
