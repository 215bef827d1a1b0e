"""The words people write: durations, sizes, instants, workplaces. It knows nothing of stores, nor of any library."""
