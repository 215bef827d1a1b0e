"""Rules: what people write, when each held, and the alerts that this makes."""
