"""What is asked of runs that nobody strikes: golden twice, the same values, the way back."""
