"""What everybody says: errors, findings, files; imports nothing above it."""
