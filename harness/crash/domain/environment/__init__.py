"""What surrounds a run: disk, WAL, pooler, connections, clock."""
