"""Every durable state: the golden run's WAL, cut at each commit."""
