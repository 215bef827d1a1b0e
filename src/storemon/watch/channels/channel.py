"""A channel: a way on which messages leave, its name, and the hours of those who get them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from storemon.errors import ChannelError
from storemon.watch.hours import Hours
from storemon.watch.messages import Message


class Way:
    """What carries messages; each kind of channel has its own."""

    kind: str
    where: str
    """To whom, without secrets."""
    keeps: bool = False
    """Whether it must be told again and again of the alerts that there are."""

    def send(self, message: Message) -> None:
        """Carry a message to its end.

        Raises:
            ChannelError: it was not taken.

        """
        raise NotImplementedError

    def keep(self, alerts: Sequence[Mapping[str, Any]], ahead: timedelta) -> None:
        """Say again that alerts are there, for so long; most kinds need no such thing."""


@dataclass(frozen=True)
class Channel:
    """A channel; ``hours`` are None where it may be told at any time."""

    name: str
    way: Way
    hours: Hours | None = None
    secrets: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """What carries its messages: mail, webhook, alertmanager, apprise, folder, s3."""
        return self.way.kind

    @property
    def where(self) -> str:
        """To whom, without secrets."""
        return self.way.where

    @property
    def keeps(self) -> bool:
        """Whether it must be told again and again of the alerts that there are."""
        return self.way.keeps

    def send(self, message: Message) -> None:
        """Send a message, and wait until it is taken.

        Raises:
            ChannelError: it was not taken; it tells why, without secrets, and whether trying again may help.

        """
        try:
            self.way.send(message)
        except ChannelError as error:
            raise self._told(error) from None  # what it came from has the secrets in it

    def keep(self, alerts: Sequence[Mapping[str, Any]], ahead: timedelta) -> None:
        """Tell a channel that keeps alerts itself of all that there are: it lets them end when that is not said again.

        Args:
            alerts: those that are open, and those that were resolved of late; each may have its own ``link``.
            ahead: how long those that are open are there without being told again: a few intervals.

        Raises:
            ChannelError: as `send` does.

        """
        try:
            self.way.keep(alerts, ahead)
        except ChannelError as error:
            raise self._told(error) from None

    def _told(self, error: ChannelError) -> ChannelError:
        return ChannelError(
            f"{self.name}: {hidden(str(error), self.secrets)}", again=error.again, after_s=error.after_s
        )


def hidden(text: str, secrets: frozenset[str]) -> str:
    """Put stars in the place of each secret, as it is and as it stands in an address."""
    for secret in sorted({*secrets, *(quote(each, safe="") for each in secrets)}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
