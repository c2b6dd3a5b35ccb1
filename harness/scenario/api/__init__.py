"""The API that a schema is, before and after a migration: each change replayed as a request."""
