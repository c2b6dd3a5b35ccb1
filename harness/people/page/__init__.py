"""The status page of a migration: what people who wait may know of it, and how old that is."""
