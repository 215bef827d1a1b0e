"""Channels: the ways on which messages leave, each read from a table of the file of rules, or from a bare address."""
