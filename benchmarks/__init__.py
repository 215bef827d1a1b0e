"""What storemon is measured against, and the timers that do it: ``make bench``."""
