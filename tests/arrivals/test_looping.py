import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from storemon.arrivals.looping import Looping


async def given_up() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize(("work", "told"), [(given_up, "is lost"), (lambda: asyncio.sleep(9), "does not answer")])
def test_what_a_client_does_not_end_is_a_lost_connection(
    work: Callable[[], Coroutine[Any, Any, None]], told: str
) -> None:
    loop = Looping()
    with pytest.raises(ConnectionError, match=told):
        loop.wait(work(), 0.05)
    loop.close()
