"""What names the schema from inside the database: functions, jobs, publications, triggers."""
