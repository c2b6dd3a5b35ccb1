"""What somebody changed behind a run's back: ledger, plan, roles, world."""
