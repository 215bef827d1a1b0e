"""Polls on their way: gathered into the inbox as they arrive, and moved from there into the lake."""
