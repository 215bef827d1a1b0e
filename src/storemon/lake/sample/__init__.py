"""A realistic sample of the CSVs, made from a seed alone: the same call gives the same bytes on any machine."""

from storemon.lake.sample.polls import NEWEST_AT
from storemon.lake.sample.write import SampleSummary, write_sample

__all__ = ["NEWEST_AT", "SampleSummary", "write_sample"]
