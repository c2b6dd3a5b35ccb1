"""Tasks of crash and mutate on the workers of a scheduler: the ledger is that of one machine."""
