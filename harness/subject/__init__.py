"""What is migrated: a plan of ours, a tree of another tool, or any command behind a DSN."""
