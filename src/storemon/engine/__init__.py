"""What the facts mean: pure, no files written, no clock, no HTTP."""
