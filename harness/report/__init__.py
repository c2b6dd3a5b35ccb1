"""What was found, and what it means: findings, suites, the verdict."""
