"""RabbitMQ: a queue that is there, from which several of us can take side by side."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from storemon.arrivals.addresses import Address
from storemon.arrivals.consuming import LIMITS, Limits
from storemon.arrivals.looping import Looping
from storemon.arrivals.messages import Message
from storemon.errors import InputError

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel, AbstractConnection, DeliveredMessage

_SECONDS = 10.0
_TLS = ("cafile", "certfile", "keyfile", "no_verify_ssl")
_AT_ONCE = (
    2 * LIMITS.messages
)  # what the broker may send ahead of acknowledgements: a batch is filled while one is read
_MOST_AT_ONCE = 65_535


class RabbitMQ:
    """A queue."""

    def __init__(self, address: Address) -> None:
        """Take ``amqp://USER:PASSWORD@HOST/VHOST?queue=QUEUE``, or ``amqps://…``.

        Raises:
            InputError: the address names no queue, or what there is not; or the extra is missing.

        """
        address.require_only("queue", "prefetch", *_TLS)
        if "queue" not in address.options:
            raise InputError(f"{address.name} names no queue; write it like amqp://HOST/VHOST?queue=polls")
        at_once = address.options.get("prefetch", str(_AT_ONCE))
        if not at_once.isdecimal() or not 1 <= int(at_once) <= _MOST_AT_ONCE:
            raise InputError(f"{address.name}: prefetch={at_once} is no number of messages from 1 to {_MOST_AT_ONCE}")
        try:
            import aiormq  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            raise InputError("RabbitMQ needs an extra: pip install 'storemon[rabbitmq]'") from error
        logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # it tells of each attempt; we say it once
        self._library = aiormq
        # A channel or a connection that is closed already is a RuntimeError there, and no AMQPError.
        self._failures = (aiormq.exceptions.AMQPError, RuntimeError, OSError)
        self._queue, self._at_once = address.options["queue"], int(at_once)
        self.name = f"{address.name}?queue={self._queue}"
        self._address = address
        self._loop: Looping | None = None
        self._connection: AbstractConnection | None = None

    def open(self) -> None:
        """Connect, and let the broker send."""
        self._loop = Looping()
        self._got: list[DeliveredMessage] = []
        self._wanted = 1
        self._last: int | None = None
        self._loop.wait(self._open(), 2 * _SECONDS)

    def fetch(self, limits: Limits) -> Sequence[Message]:
        """Wait for what the broker sends."""
        return self._running.wait(self._fetch(limits), limits.seconds + _SECONDS)

    def acknowledge(self) -> None:
        """Acknowledge all up to the last one."""
        self._running.wait(self._acknowledge(), _SECONDS)

    def hold(self, seconds: float) -> None:
        """Wait; more than is ahead already does not come before it is acknowledged."""
        self._running.wait(asyncio.sleep(seconds), seconds + _SECONDS)

    def lag(self) -> int | None:
        """Ask how many messages are ready in the queue."""
        declared = self._running.wait(self._declared(), _SECONDS)
        return declared + len(self._got)

    def close(self) -> None:
        """Close the connection: what is not acknowledged goes to others."""
        if self._loop is None:
            return
        try:
            if self._connection is not None:
                self._loop.wait(self._connection.close(), _SECONDS)
        except self._failures:
            pass  # it is lost already
        finally:
            self._loop.close()
            self._loop = self._connection = None

    @property
    def _running(self) -> Looping:
        if self._loop is None:
            raise ConnectionError("it is closed")
        return self._loop

    def _url(self) -> str:
        login = f"{quote(self._address.user or 'guest', '')}:{quote(self._address.password or 'guest', '')}"
        options = {name: value for name, value in self._address.options.items() if name in _TLS}
        vhost = quote(self._address.path or "/", "")
        return f"{self._address.scheme}://{login}@{self._address.hosts}/{vhost}?{urlencode(options)}"

    async def _open(self) -> None:
        wrong = self._library.exceptions
        self._ready = asyncio.Event()
        self._is_cancelled = False
        try:
            self._connection = await self._library.connect(self._url())
            self._channel: AbstractChannel = await self._connection.channel()
            self._channel.closing.add_done_callback(lambda _: self._ready.set())
            self._channel.on_consumer_cancel_callbacks.add(self._cancelled)
            await self._declared()
            await self._channel.basic_qos(prefetch_count=self._at_once)
            await self._channel.basic_consume(self._queue, self._arrived)
        except (wrong.AuthenticationError, wrong.ProbableAuthenticationError) as error:
            raise InputError(f"{self.name} does not let us in: wrong user or password") from error
        except wrong.ConnectionNotAllowed as error:
            raise InputError(f"{self.name} does not let us in: {self._said(error)}") from error
        except self._failures as error:
            raise ConnectionError(self._said(error)) from error

    async def _declared(self) -> int:
        wrong = self._library.exceptions
        try:
            return (await self._channel.queue_declare(self._queue, passive=True)).message_count or 0
        except (wrong.ChannelNotFoundEntity, wrong.ChannelAccessRefused) as error:
            raise InputError(f"{self.name}: {self._said(error)}; make the queue first, or name another one") from error
        except self._failures as error:
            raise ConnectionError(self._said(error)) from error

    def _said(self, error: BaseException) -> str:
        return self._address.without_secrets(str(error) or type(error).__name__)

    def _cancelled(self, _: object) -> None:
        """Look for the queue again: the broker sends no more from it, as when it was deleted."""
        self._is_cancelled = True
        self._ready.set()

    async def _arrived(self, message: "DeliveredMessage") -> None:
        self._got.append(message)
        if len(self._got) >= self._wanted:
            self._ready.set()

    async def _fetch(self, limits: Limits) -> list[Message]:
        self._wanted = min(limits.messages, self._at_once)
        if len(self._got) < self._wanted and not self._channel.is_closed:
            self._ready.clear()
            with suppress(TimeoutError):  # then it is what has come until now
                await asyncio.wait_for(self._ready.wait(), limits.seconds)
        if self._is_cancelled:
            raise ConnectionError("the broker sends no more from this queue")
        if self._channel.is_closed:  # and what it had sent can't be acknowledged any more
            raise ConnectionError("the channel was closed")
        count = size = 0
        for message in self._got[: limits.messages]:
            count, size = count + 1, size + len(message.body)
            if size >= limits.bytes:
                break
        batch, self._got = self._got[:count], self._got[count:]
        if batch:
            self._last = batch[-1].delivery_tag
        return [self._message(each) for each in batch]

    def _message(self, message: "DeliveredMessage") -> Message:
        """Give a message a number that stays its own, from what it holds: a queue numbers nothing for good."""
        media_type = message.header.properties.content_type
        digest = blake2b(message.body, digest_size=7).digest()
        return Message(message.body, media_type, f"amqp://{self._queue}", int.from_bytes(digest))

    async def _acknowledge(self) -> None:
        if self._last is None:
            return
        try:
            await self._channel.basic_ack(self._last, multiple=True, wait=True)
        except self._failures as error:
            raise ConnectionError(self._said(error)) from error
        self._last = None
