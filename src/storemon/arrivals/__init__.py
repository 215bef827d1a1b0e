"""How polls arrive by themselves: consumers of brokers and folders, the inbox on the way, and who empties it."""
