"""What a service must not forget: its jobs and its keys, in SQLite or PostgreSQL. It must not know what a job does."""
