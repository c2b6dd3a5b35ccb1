"""What the pytest plugin does, one file a concern."""
