"""When a place is open: zones, local dates, windows, hours and exceptions, as intervals in UTC. It knows no polls."""
