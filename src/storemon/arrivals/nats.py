"""NATS JetStream: a durable pull consumer, from which several of us can pull side by side."""

import asyncio
import json
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from storemon.arrivals.addresses import Address
from storemon.arrivals.consuming import LIMITS, Limits
from storemon.arrivals.looping import Looping
from storemon.arrivals.messages import Message
from storemon.errors import InputError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

_SECONDS = 5.0  # a server that says nothing for so long is lost
_PENDING = 4 * LIMITS.messages  # messages of all consumers together that are not acknowledged yet
_OF_OLD_ACK = 9  # words in the address to which an acknowledgement goes; newer servers write the domain as well


class Nats:
    """A subject of a stream."""

    def __init__(self, address: Address) -> None:
        """Take ``nats://HOST:PORT/SUBJECT``, or ``tls://…``.

        Raises:
            InputError: the address names no subject, or what there is not; or the extra is missing.

        """
        address.require_only("stream", "durable", "creds", "ca")
        if not address.path:
            raise InputError(f"{address.name} names no subject; write it like nats://HOST:4222/polls")
        try:
            import nats.aio.client  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            raise InputError("NATS needs an extra: pip install 'storemon[nats]'") from error
        self.name = address.name
        self._address = address
        self._durable = address.options.get("durable", "storemon")
        self._connect = nats.connect
        self._loop: Looping | None = None
        self._client: Client | None = None
        self._got: list[Msg] = []
        self._fetched: list[str] = []
        self._stream = ""
        self._lag: int | None = None

    def open(self) -> None:
        """Connect, and make the durable consumer where there is none."""
        self._got, self._fetched, self._loop = [], [], Looping()
        self._loop.wait(self._open(), 4 * _SECONDS)

    def fetch(self, limits: Limits) -> Sequence[Message]:
        """Pull a batch."""
        return self._running.wait(self._fetch(limits), limits.seconds + 2 * _SECONDS)

    def acknowledge(self) -> None:
        """Acknowledge each."""
        self._running.wait(self._acknowledge(), 2 * _SECONDS)

    def hold(self, seconds: float) -> None:
        """Pull nothing."""
        self._running.wait(asyncio.sleep(seconds), seconds + _SECONDS)

    def lag(self) -> int | None:
        """Tell what the last message said."""
        return self._lag

    def close(self) -> None:
        """Close the connection."""
        if self._loop is None:
            return
        try:
            if self._client is not None:
                self._loop.wait(self._client.close(), _SECONDS)
        except ConnectionError:
            pass  # it is lost already
        finally:
            self._loop.close()
            self._loop = self._client = None

    @property
    def _running(self) -> Looping:
        if self._loop is None:
            raise ConnectionError("it is closed")
        return self._loop

    @property
    def _connected(self) -> "Client":
        if self._client is None or self._client.is_closed:
            raise ConnectionError("the connection is lost")
        return self._client

    async def _open(self) -> None:
        from nats.errors import Error  # noqa: PLC0415 - an extra

        self._ended = asyncio.Event()
        self._status = self._complaint = ""
        try:
            self._client = await self._connect(self._address_of_server(), **self._login())
            await self._find_consumer(self._client)
            self._inbox = self._client.new_inbox()
            await self._client.subscribe(self._inbox, cb=self._arrived, pending_msgs_limit=-1, pending_bytes_limit=-1)
        except (Error, OSError, TimeoutError) as error:
            text = self._address.without_secrets(str(error) or type(error).__name__)
            if "authorization" in text.lower() or "permissions" in text.lower():
                raise InputError(f"{self.name} does not let us in: {text}") from error
            raise ConnectionError(self._address.without_secrets(self._complaint) or text) from error
        except ValueError as error:  # a name that can be none
            raise InputError(f"{self.name}: {error}") from error

    def _address_of_server(self) -> str:
        return f"{self._address.scheme}://{self._address.hosts}"

    def _login(self) -> dict[str, Any]:
        user, password, options = self._address.user, self._address.password, self._address.options
        login: dict[str, Any] = {"user": user, "password": password} if password else {"token": user or None}
        if "creds" in options:
            login["user_credentials"] = options["creds"]
        if self._address.scheme == "tls":
            login["tls"] = ssl.create_default_context(cafile=options.get("ca"))
        return login | {
            "name": "storemon",
            "allow_reconnect": False,  # the loop does that, as for every broker
            "max_reconnect_attempts": 1,  # the library tries each address until it may no more
            "reconnect_time_wait": 0,
            "connect_timeout": int(_SECONDS),
            "error_cb": self._told_of,
            "closed_cb": self._lost,
            "disconnected_cb": self._lost,
        }

    async def _find_consumer(self, client: "Client") -> None:
        from nats.js.api import AckPolicy, ConsumerConfig  # noqa: PLC0415 - an extra
        from nats.js.errors import NotFoundError  # noqa: PLC0415

        streams, subject = client.jetstream(timeout=_SECONDS), self._address.path
        try:
            self._stream = self._address.options.get("stream") or await streams.find_stream_name_by_subject(subject)
            await streams.stream_info(self._stream)
        except NotFoundError as error:
            raise InputError(
                f"{self.name}: there is no stream {self._address.options.get('stream') or f'of subject {subject}'}; "
                "make it first, like: nats stream add"
            ) from error
        try:
            found = (await streams.consumer_info(self._stream, self._durable)).config
        except NotFoundError:
            wanted = ConsumerConfig(
                durable_name=self._durable,
                ack_policy=AckPolicy.EXPLICIT,
                max_ack_pending=_PENDING,
                filter_subject=subject,
            )
            found = (await streams.add_consumer(self._stream, wanted)).config
        if (
            found.deliver_subject
            or found.ack_policy != AckPolicy.EXPLICIT
            or (found.filter_subject or subject) != subject
        ):
            raise InputError(
                f"{self.name}: the consumer {self._durable} of {self._stream} is not a pull consumer of this subject "
                "with explicit acknowledgement; name another one with ?durable=NAME"
            )

    async def _fetch(self, limits: Limits) -> list[Message]:
        client = self._connected
        await self._pull(client, {"batch": limits.messages, "max_bytes": limits.bytes}, limits.seconds)
        if not self._got and "MaxBytes" in self._status:  # the next message alone is larger than a batch may be
            await self._pull(client, {"batch": 1}, limits.seconds)
        arrived, self._got = self._got, []
        if not arrived and client.is_closed:
            raise ConnectionError("the connection is lost")
        if not arrived and self._status.startswith(("503", "409 Consumer")):
            raise ConnectionError(f"the consumer is gone: {self._status}")
        return [self._message(each) for each in arrived]

    async def _pull(self, client: "Client", asked: dict[str, int], seconds: float) -> None:
        from nats.errors import Error  # noqa: PLC0415 - an extra

        self._wanted, self._status = asked["batch"], ""
        self._ended.clear()
        body = json.dumps(asked | {"expires": int(1e9 * seconds)}).encode()
        try:
            await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._durable}", body, self._inbox)
            await asyncio.wait_for(self._ended.wait(), seconds + _SECONDS)
        except Error as error:
            raise ConnectionError(str(error)) from error

    async def _arrived(self, message: "Msg") -> None:
        """Take a message of ours, or what the server says of our request when it ends."""
        status = message.headers and message.headers.get("Status")
        if status and not message.data:
            self._status = f"{status} {(message.headers or {}).get('Description', '')}"
            self._ended.set()
            return
        self._got.append(message)
        if len(self._got) >= self._wanted:
            self._ended.set()

    async def _told_of(self, error: Exception) -> None:
        """Keep what the client complains of: where nobody answers, it says no more than that itself."""
        self._complaint = str(error)

    async def _lost(self) -> None:
        self._ended.set()

    def _message(self, message: "Msg") -> Message:
        words = message.reply.split(".")
        old = len(words) == _OF_OLD_ACK
        self._fetched.append(message.reply)
        self._lag = int(words[8] if old else words[10])
        media_type = (message.headers or {}).get("Content-Type") or (message.headers or {}).get("content-type")
        return Message(message.data, media_type, f"nats://{self._stream}", int(words[5] if old else words[7]))

    async def _acknowledge(self) -> None:
        from nats.errors import Error  # noqa: PLC0415 - an extra

        client = self._connected
        try:
            for reply in self._fetched:
                await client.publish(reply)
            await client.flush(int(_SECONDS))
        except Error as error:
            raise ConnectionError(str(error)) from error
        self._fetched = []
