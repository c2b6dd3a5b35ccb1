"""PostgREST, which is not run here: the SQL that it sends, and the settings that it makes."""
