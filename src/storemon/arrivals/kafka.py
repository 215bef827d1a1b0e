"""Kafka: a topic, read by a group of consumers. The offsets are ours: committed when the polls are on disk."""

import time
from collections.abc import Sequence
from typing import Any

from storemon.arrivals.addresses import Address
from storemon.arrivals.consuming import Limits
from storemon.arrivals.messages import Message
from storemon.errors import InputError

_SECONDS = 5.0
_AT_ONCE = 500
_OURS = ("enable.auto.commit", "enable.auto.offset.store", "group.id", "bootstrap.servers")
_DEFAULTS = {
    "client.id": "storemon",
    "auto.offset.reset": "earliest",  # a new group begins at the beginning: nothing is passed over
    "queued.max.messages.kbytes": "32768",
    "log_level": "0",  # what it would write of a lost broker again and again, we say once
}


class Kafka:
    """A topic."""

    def __init__(self, address: Address) -> None:
        """Take ``kafka://HOST:PORT,HOST:PORT/TOPIC?group=GROUP``; other options are librdkafka's.

        Raises:
            InputError: the address names no topic, or an option that is ours; or the extra is missing.

        """
        ours = sorted(address.options.keys() & {*_OURS})
        if not address.path or ours:
            raise InputError(
                f"{address.name}: {', '.join(ours)} can't be set"
                if ours
                else f"{address.name} names no topic; write it like kafka://HOST:9092/polls"
            )
        try:
            import confluent_kafka  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            raise InputError("Kafka needs an extra: pip install 'storemon[kafka]'") from error
        self._library = confluent_kafka
        self.name, self._topic, self._address = address.name, address.path, address
        self._consumer: confluent_kafka.Consumer | None = None

    def open(self) -> None:
        """Connect, look for the topic, and join the group."""
        self._trouble: Any = None
        self._held = False
        self._early: list[Any] = []
        self._batch: list[Any] = []
        wrong = self._library.KafkaException
        try:
            self._consumer = self._library.Consumer(self._options())
        except (wrong, ValueError, TypeError) as error:
            raise InputError(f"{self.name}: {self._said(error)}") from error
        self._require_topic()
        self._joined.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked)

    def fetch(self, limits: Limits) -> Sequence[Message]:
        """Consume a batch."""
        consumer = self._joined
        if self._held:
            consumer.resume(consumer.assignment())
            self._held = False
        self._batch, self._early = self._early, []
        ends_at, size = time.monotonic() + limits.seconds, 0
        while len(self._batch) < limits.messages and size < limits.bytes:
            left = ends_at - time.monotonic()
            if left <= 0:
                break
            new = consumer.consume(min(_AT_ONCE, limits.messages - len(self._batch)), left)
            self._batch += [each for each in new if not self._is_error(each)]
            size += sum(len(each) for each in new)
        if not self._batch:
            self._raise_trouble()
        return [self._message(each) for each in self._batch]

    def acknowledge(self) -> None:
        """Commit where the batch ends, in each partition."""
        ends: dict[int, int] = {}
        for message in self._batch:
            ends[message.partition()] = message.offset() + 1
        self._batch = []
        if not ends:
            return
        offsets = [self._library.TopicPartition(self._topic, *end) for end in ends.items()]
        try:
            done = self._joined.commit(offsets=offsets, asynchronous=False) or []
        except self._library.KafkaException as error:
            self._judge_commit(error.args[0])
            return
        for each in done:
            if each.error is not None:
                self._judge_commit(each.error)

    def hold(self, seconds: float) -> None:
        """Pause the partitions, and stay in the group."""
        consumer = self._joined
        if not self._held:
            consumer.pause(consumer.assignment())
            self._held = True
        message = consumer.poll(seconds)
        if message is not None and not self._is_error(message):
            self._early.append(message)  # of a partition that came to us meanwhile
            self._held = False

    def lag(self) -> int | None:
        """Add up what is behind our positions, as far as the client knows."""
        consumer, total = self._joined, 0
        for place in consumer.position(consumer.assignment()):
            known = consumer.get_watermark_offsets(place, cached=True)
            if known is not None and place.offset >= 0:
                total += max(0, known[1] - place.offset)
        return total

    def close(self) -> None:
        """Leave the group."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    @property
    def _joined(self) -> Any:
        if self._consumer is None:
            raise ConnectionError("it is closed")
        return self._consumer

    def _options(self) -> dict[str, Any]:
        options = {name: value for name, value in self._address.options.items() if name != "group"}
        login = {"sasl.username": self._address.user, "sasl.password": self._address.password}
        return {
            **_DEFAULTS,
            **(login if self._address.user else {}),
            **options,
            "bootstrap.servers": self._address.hosts,
            "group.id": self._address.options.get("group", "storemon"),
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "allow.auto.create.topics": False,
            "error_cb": self._told_of,
        }

    def _require_topic(self) -> None:
        try:
            found = self._joined.list_topics(self._topic, timeout=_SECONDS).topics[self._topic].error
        except self._library.KafkaException as error:
            self._joined.poll(0)  # which tells of what went wrong before
            self._raise_trouble()
            raise ConnectionError(self._said(error)) from error
        if found is not None:
            self._refuse(found)
            if found.code() == self._library.KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise InputError(f"{self.name}: there is no topic {self._topic}; make it first")
            raise ConnectionError(found.str())

    def _assigned(self, *_: object) -> None:
        self._held = False  # what is new is not paused

    def _revoked(self, _: object, partitions: Sequence[Any]) -> None:
        """Let go of what others get now: it is not committed, so they get all of it."""
        gone = {each.partition for each in partitions}
        self._batch[:] = [each for each in self._batch if each.partition() not in gone]
        self._early[:] = [each for each in self._early if each.partition() not in gone]

    def _told_of(self, error: Any) -> None:
        kinds = self._library.KafkaError
        if error.code() in {kinds._ALL_BROKERS_DOWN, kinds._AUTHENTICATION} or error.fatal():  # noqa: SLF001
            self._trouble = error

    def _is_error(self, message: Any) -> bool:
        """Tell whether this is none, but something that the client has to say."""
        error = message.error()
        if error is None:
            return False
        if error.code() != self._library.KafkaError._PARTITION_EOF:  # noqa: SLF001 - a public name
            self._trouble = error
        return True

    def _raise_trouble(self) -> None:
        error, self._trouble = self._trouble, None
        if error is not None:
            self._refuse(error)
            raise ConnectionError(self._address.without_secrets(error.str()))

    def _refuse(self, error: Any) -> None:
        """End with an error that does not pass."""
        kinds = self._library.KafkaError
        lasting = {kinds._AUTHENTICATION, kinds.TOPIC_AUTHORIZATION_FAILED, kinds.GROUP_AUTHORIZATION_FAILED}  # noqa: SLF001
        if error.code() in lasting:
            raise InputError(f"{self.name} does not let us in: {self._address.without_secrets(error.str())}")

    def _judge_commit(self, error: Any) -> None:
        """Pass over that the partitions are others' now: these get the same messages again."""
        kinds = self._library.KafkaError
        moved = {
            kinds.ILLEGAL_GENERATION,
            kinds.UNKNOWN_MEMBER_ID,
            kinds.REBALANCE_IN_PROGRESS,
            kinds._ASSIGNMENT_LOST,  # noqa: SLF001
            kinds._STATE,  # noqa: SLF001
        }
        if error.code() not in moved:
            self._refuse(error)
            raise ConnectionError(self._address.without_secrets(error.str()))

    def _message(self, message: Any) -> Message:
        kinds = (value for name, value in message.headers() or () if name.lower() == "content-type" and value)
        kind = next(kinds, b"")
        return Message(
            message.value() or b"",
            kind.decode(errors="replace") if isinstance(kind, bytes) else kind,
            f"kafka://{self._topic}/{message.partition()}",
            message.offset(),
        )

    def _said(self, error: Exception) -> str:
        told = error.args[0] if error.args else error
        return self._address.without_secrets(told.str() if hasattr(told, "str") else str(told))
