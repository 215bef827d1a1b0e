"""Polls on their way: consumed from brokers and folders, gathered into the inbox, and moved from there into the lake."""
