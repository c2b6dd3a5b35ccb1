"""The proof: every query on a clone before and on a clone after, and what it gives."""
