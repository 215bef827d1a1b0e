"""The names that a time zone may be told by."""

from functools import cache
from importlib.resources import files

import polars as pl

from storemon.units.zones import zone_names


@cache
def known_zones() -> pl.DataFrame:
    """List the zones: ``written``, a name in lower case, and ``zone``, its name in the IANA database.

    Windows' names are those of the Unicode CLDR, each with the zone that it has for the whole world.
    """
    iana = pl.DataFrame({"zone": sorted(zone_names())})
    windows = pl.read_csv(files(__package__).joinpath("windows_zones.csv").read_bytes()).rename({"windows": "written"})
    named = pl.concat([iana.select(pl.col("zone").alias("written"), "zone"), windows.select("written", "zone")])
    return named.with_columns(pl.col("written").str.to_lowercase()).unique("written", keep="first", maintain_order=True)
