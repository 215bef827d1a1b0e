"""The words people write: durations, sizes, instants, zones, workplaces. It knows nothing of stores."""
