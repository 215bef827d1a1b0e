"""How much may be asked: of requests by one who asks, of bodies, and of answers at once.

All is counted in the process: several of them let in as many times as much.
"""

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil, inf

import structlog
from litestar.enums import ScopeType
from litestar.exceptions import TooManyRequestsException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.types.asgi_types import ReceiveMessage

from storemon.errors import StoppedError, StoremonError
from storemon.service.problems import problem
from storemon.settings import Settings
from storemon.stopping import Stop
from storemon.units.rates import Allowance, parse_rate

FAILURE = 10
"""A login that fails counts as so many requests."""
_MOST_NAMES = 10_000
"""Of so many who ask is it remembered how much they have asked."""
_WAIT_SECONDS = 5
"""How long a request waits until it is its turn to be answered."""
_LOOK_SECONDS = 0.5
"""How often to look whether an answer takes too long."""
_LET_GO_SECONDS = 2
"""How long a thread may take to let go, before its request is answered without it."""
_OTHER_THREADS = 32
"""Threads for all that is no answer: it is quick, and waits for no answer."""

_log = structlog.stdlib.get_logger("storemon.requests")


class BusyError(StoremonError):
    """As many answers are being computed as may; soon there will be room again."""


class Rates:
    """How much each one who asks may ask yet: a bucket of an allowance for each, which fills up evenly."""

    def __init__(self, allowance: Allowance) -> None:
        self._period = allowance.period.total_seconds()
        self._each = self._period / allowance.number
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def require(self, name: str, count: int = 0) -> None:
        """Let somebody ask so often; by default only tell whether another request would be let in.

        Raises:
            TooManyRequestsException: the allowance is used up.

        """
        now = time.monotonic()
        full_at = max(self._full_at.get(name, now), now) + max(count, 1) * self._each
        wait = full_at - now - self._period
        if wait > 1e-6 * self._period:
            raise TooManyRequestsException(
                f"this was asked too often; come again in {ceil(wait)} s", headers={"Retry-After": str(ceil(wait))}
            )
        if count:
            self._set(name, full_at)

    def use_up(self, name: str, count: int) -> None:
        """Count what was done already: of an allowance that does not suffice, the rest is owed, though not for ever."""
        now, used = time.monotonic(), count * self._each
        self._set(name, min(max(self._full_at.get(name, now), now) + used, now + self._period + used))

    def _set(self, name: str, full_at: float) -> None:
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > _MOST_NAMES:  # who asked last longest ago most likely has a full one again
            self._full_at.popitem(last=False)


def rates_of(settings: Settings) -> Rates | None:
    """Make the buckets that the settings tell of; None for no limit."""
    allowance = parse_rate(settings.rate)
    return allowance and Rates(allowance)


def address_of(scope: Scope) -> str:
    """Name where a request is from; of the newer addresses a whole network, as everybody has one."""
    host = (scope.get("client") or ("",))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return f"address {host}"
    if isinstance(address, IPv6Address):
        return f"address {address.ipv4_mapped or ip_network((int(address), 64), strict=False)}"
    return f"address {address}"


class BodyInTime(ASGIMiddleware):
    """Gives up a body that does not arrive in time."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.request_time.total_seconds()

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass a request on; reading its body fails when the time is over."""
        if scope.get("method") in {"GET", "HEAD"}:
            await next_app(scope, receive, send)
            return
        due = asyncio.get_running_loop().time() + self._seconds
        is_whole = False

        async def in_time() -> ReceiveMessage:
            nonlocal is_whole
            if is_whole:  # what comes now is that the client leaves
                return await receive()
            try:
                async with asyncio.timeout_at(due):
                    message = await receive()
            except TimeoutError:
                raise problem(
                    408,
                    f"the body did not arrive within {self._seconds:.0f} s; send less at once",
                    headers={"Connection": "close"},
                ) from None
            is_whole = not message.get("more_body", False)
            return message

        await next_app(scope, in_time, send)


class AnswersInTurn(ASGIMiddleware):
    """Has few answers computed at once, each for a while.

    A thread can't be ended: it is told to let go, which it does at its next step. One that is in the midst of a step
    that nobody can interrupt keeps its place till it is through, but its request is answered.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.answer_time.total_seconds()
        self._places = asyncio.Semaphore(settings.answers)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass a request on when it is its turn, and see to it that its answer begins, and goes on, in time.

        Raises:
            BusyError: its turn does not come.
            StoppedError: it takes too long.

        """
        await self._enter()
        stop, turn = Stop(), _Turn(self._places, send, self._seconds)
        leaving = asyncio.ensure_future(_left(receive))

        async def gone() -> ReceiveMessage:
            return await asyncio.shield(leaving)

        with stop.heeded():
            answering = asyncio.ensure_future(next_app(scope, gone, turn.send))
        answering.add_done_callback(turn.leave)
        try:
            while not answering.done():
                awaited = {answering} if leaving.done() else {answering, leaving}
                await asyncio.wait(awaited, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                late = asyncio.get_running_loop().time() - turn.due
                if late >= 0:
                    stop.now(_too_long(self._seconds))
                elif leaving.done():
                    stop.now("the client has left")
                if late >= _LET_GO_SECONDS:
                    turn.is_over = True
                    stop.check()
            await answering
        except asyncio.CancelledError:
            stop.now("the service is being stopped")
            answering.cancel()
            raise
        except StoppedError as error:
            if not turn.has_begun:
                raise
            _log.warning("answer cut off", reason=str(error))  # the server sees that it is not whole, and closes
        finally:
            leaving.cancel()

    async def _enter(self) -> None:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise BusyError("as many answers are being computed as may; ask again in a few seconds") from None


async def _left(receive: Receive) -> ReceiveMessage:
    """Wait until the client has left: questions have no body, so nothing else comes."""
    message: ReceiveMessage = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
    return message


class _Turn:
    """A place among those who are answered. It is free for others while the client reads."""

    def __init__(self, places: asyncio.Semaphore, send: Send, seconds: float) -> None:
        self._places, self._send, self._seconds = places, send, seconds
        self._has_place = True
        self.has_begun = self.is_over = False
        self.due = self._next()

    async def send(self, message: Message) -> None:
        """Pass on a part of the answer; the time until the next part begins when the client has taken it."""
        if self.is_over:
            return
        self.has_begun = True
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        self.due = inf
        self._release()
        await self._send(message)
        if message.get("more_body"):
            await self._places.acquire()
            self._has_place, self.due = True, self._next()

    def leave(self, answering: "asyncio.Future[None]") -> None:
        """Free the place when the answer is through."""
        self._release()
        if not answering.cancelled():
            answering.exception()  # if it was not waited for, nobody else asks

    def _next(self) -> float:
        return asyncio.get_running_loop().time() + self._seconds

    def _release(self) -> None:
        if self._has_place:
            self._has_place = False
            self._places.release()


def _too_long(seconds: float) -> str:
    return (
        f"the answer takes longer than {seconds:.0f} s; ask for less, or for a report that is made meanwhile: "
        "POST /v1/reports"
    )


def make_room(settings: Settings) -> None:
    """Give the running loop threads for all answers, and besides for what is quick, which then waits for no answer."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(settings.answers + _OTHER_THREADS))
