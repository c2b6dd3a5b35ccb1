"""What a person sees while it runs: events, progress, errors."""
