"""The suites that gate a release of the migration."""
