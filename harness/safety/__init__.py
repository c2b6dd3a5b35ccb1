"""What makes a migration safe to start: a backup that was restored before it counts."""
