"""A week at sixty times the speed: a minute for an hour, a second for a minute, and real processes that are killed."""
