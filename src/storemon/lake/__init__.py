"""Where the facts are kept: polls, hours and zones in Delta Lake tables."""
