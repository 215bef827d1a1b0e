"""Answers that are asked for again and again, by the clocks of a zone, and sent to whoever wants them."""
