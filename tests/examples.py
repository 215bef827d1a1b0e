"""How many examples a run draws: a few by default, all of them with ``DEEP_TESTS=1``, as ``make test-all`` sets it."""

import os

from hypothesis import settings

DEEP = os.environ.get("DEEP_TESTS") == "1"
_SHARE = 12
_LEAST = 3

settings.register_profile("default run", max_examples=10)
if not DEEP:
    settings.load_profile("default run")


def examples(deep: int) -> int:
    """Tell how many of so many examples, or moments, this run draws."""
    return deep if DEEP else min(deep, max(_LEAST, deep // _SHARE))
