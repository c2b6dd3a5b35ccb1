"""The API that PostgREST makes of a schema: its description, and what changes in it."""
