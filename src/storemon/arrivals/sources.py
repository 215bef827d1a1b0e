"""Which source an address names."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import cast

from storemon.arrivals.addresses import Address
from storemon.arrivals.consuming import Source
from storemon.errors import InputError

_BROKERS: Mapping[str, str] = {
    "kafka": "kafka:Kafka",
    "amqp": "rabbitmq:RabbitMQ",
    "amqps": "rabbitmq:RabbitMQ",
    "nats": "nats:Nats",
    "tls": "nats:Nats",
}


def source_of(address: Address) -> Source:
    """Give the broker's queue that an address names; nothing is connected yet.

    Raises:
        InputError: there is no such kind, its extra is missing, or the address lacks something.

    """
    if address.scheme not in _BROKERS:
        raise InputError(
            f"{address.name}: there is no {address.scheme}:// to listen to; there are: {', '.join(_BROKERS)}, folder"
        )
    module, _, name = _BROKERS[address.scheme].partition(":")
    kind = getattr(import_module(f"storemon.arrivals.{module}"), name)
    return cast("Callable[[Address], Source]", kind)(address)
