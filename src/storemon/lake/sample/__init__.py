"""A realistic sample, made from a seed alone: CSVs with the same bytes on any machine, or a lake with the same rows."""

from storemon.lake.sample.lake import write_lake
from storemon.lake.sample.lives import NEWEST_AT
from storemon.lake.sample.write import SampleSummary, write_sample

__all__ = ["NEWEST_AT", "SampleSummary", "write_lake", "write_sample"]
