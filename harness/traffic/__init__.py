"""Clients that do what users do while a migration runs, and the record of what they tried."""
