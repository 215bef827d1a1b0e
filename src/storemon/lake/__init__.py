"""Where the facts are kept: polls, the schedule and its exceptions, zones and tags, in Delta Lake tables."""
