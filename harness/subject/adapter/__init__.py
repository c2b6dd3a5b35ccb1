"""Trees of migrations that other tools wrote: a reader for each tool, and whose a tree is."""
