"""A realistic sample from a seed: CSVs with the same bytes anywhere, or a lake with the same rows. No room needs it."""

from storemon.sample.lake import write_lake
from storemon.sample.lives import NEWEST_AT
from storemon.sample.write import SampleSummary, write_sample

__all__ = ["NEWEST_AT", "SampleSummary", "write_lake", "write_sample"]
