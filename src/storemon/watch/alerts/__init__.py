"""Alerts as they are watched: found by each look, kept in the records, silenced and acknowledged by people."""
