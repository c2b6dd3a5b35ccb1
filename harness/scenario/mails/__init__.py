"""Mails under faults: a sender is killed at every verb of SMTP and every statement of its ledger.

It is forked and killed from outside; a real SMTP server and a real Postgres answer it, in an event
loop of the process that judges, so that nothing happens between two messages that is not counted.
"""
