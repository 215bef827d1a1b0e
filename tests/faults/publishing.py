"""Polls that are published to a broker while it dies, and which of them it confirmed."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import aiormq
import nats
import nats.errors
from nats.js.api import AckPolicy, ConsumerConfig

from tests.arrivals.brokers import NatsServer, Rabbit
from tests.arrivals.listening import Polls, written

_AT_ONCE, _AT_MOST = 100, 5_000
_Publish = Callable[[bytes], Awaitable[object]]


class QuickNats(NatsServer):
    """One that need not outlive its own end, and so takes forty times as many messages a second."""

    def command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        started_by = super().command()
        written = (self.folder / "conf").read_text()
        (self.folder / "conf").write_text(written.replace("sync_interval: always", "sync_interval: 10s"))
        return started_by

    def send(self, bodies: Sequence[bytes], media_type: str | None = None) -> None:
        """Send some at once: the server drops what nobody waits for, where more than 10,000 have to be written."""
        for first in range(0, len(bodies), _AT_MOST):
            super().send(bodies[first : first + _AT_MOST], media_type)


class Publishing:
    """A thread that publishes polls, until all are confirmed or the broker is gone."""

    def __init__(self, broker: NatsServer | Rabbit, polls: Polls) -> None:
        self.confirmed: Polls = set()
        self._ordered = sorted(polls, key=lambda poll: poll[1])
        self._broker = broker
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()))
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    async def _work(self) -> None:
        if isinstance(self._broker, NatsServer):
            await self._to_nats(self._broker)
        else:
            await self._to_rabbitmq(self._broker)

    async def _to_nats(self, broker: NatsServer) -> None:
        client = await nats.connect(f"nats://127.0.0.1:{broker.port}", allow_reconnect=False, error_cb=_passed_over)
        streams = client.jetstream(timeout=2)
        await self._publish_all(lambda body: streams.publish(broker.topic, body))
        with suppress(nats.errors.Error, OSError):
            await client.close()

    async def _to_rabbitmq(self, broker: Rabbit) -> None:
        connection = await aiormq.connect(f"amqp://guest:guest@127.0.0.1:{broker.port}/")
        channel = await connection.channel()
        kept = aiormq.spec.Basic.Properties(delivery_mode=2)
        await self._publish_all(
            lambda body: channel.basic_publish(body, routing_key=broker.topic, properties=kept, timeout=2)
        )
        with suppress(aiormq.exceptions.AMQPError, OSError):
            await connection.close()

    async def _publish_all(self, publish: _Publish) -> None:
        """Publish some at once; the end of the broker ends it."""
        for first in range(0, len(self._ordered), _AT_ONCE):
            some = self._ordered[first : first + _AT_ONCE]
            ends = await asyncio.gather(*(publish(written({poll})[0]) for poll in some), return_exceptions=True)
            failed = [isinstance(end, BaseException) for end in ends]
            self.confirmed |= {poll for poll, has_failed in zip(some, failed, strict=True) if not has_failed}
            if any(failed):
                return


def consumer_of(broker: NatsServer, durable: str) -> str:
    """Make a consumer that gives a message again a second after nobody acknowledged it, and give its address."""
    wanted = ConsumerConfig(
        durable_name=durable,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=1,
        max_ack_pending=20_000,
        filter_subject=broker.topic,
    )
    _asked_of(broker, lambda streams: streams.add_consumer(broker.topic.upper(), wanted))
    return f"{broker.url}?durable={durable}"


def left(broker: NatsServer, durable: str) -> int:
    """Count the messages that the consumer has not acknowledged, sent to it or not."""
    told = _asked_of(broker, lambda streams: streams.consumer_info(broker.topic.upper(), durable))
    return int(told.num_pending + told.num_ack_pending)


def _asked_of(broker: NatsServer, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    async def asked() -> Any:
        client = await nats.connect(f"nats://127.0.0.1:{broker.port}")
        try:
            return await ask(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(asked())


async def _passed_over(_: Exception) -> None:
    """Say nothing of a broker that is gone: that is what is tried."""
