"""Polls on their way: consumed from brokers and folders, gathered into the inbox, moved from there into the lake."""
