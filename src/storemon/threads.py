"""How many threads the libraries take that do the work."""

import os


def limit_threads(count: int) -> None:
    """Let Polars, which must not be imported yet, and DuckDB take so many threads each; 0 for one on each CPU."""
    if count:
        os.environ["POLARS_MAX_THREADS"] = str(count)
