"""Everything that apprise knows: Slack, Teams, PagerDuty, Telegram and others, by its own addresses.

It runs in a process of its own for each message: that can be ended when its time is over, whatever its library waits
for, and the service need not load it.
"""

import subprocess
import sys
from importlib.util import find_spec

import msgspec

from storemon.errors import ChannelError, InputError
from storemon.rules.rule import Severity
from storemon.watch.channels.channel import Way
from storemon.watch.messages import Attached, Message

_LIMIT_SECONDS = 60.0
_COMMAND = (sys.executable, "-m", "storemon.watch.channels.apprising")


class Wanted(msgspec.Struct):
    """What the other process is to send; it comes by standard input, as a command line is read by everybody."""

    url: str
    title: str
    text: str
    severity: Severity
    resolved: bool
    files: tuple[Attached, ...]


class Outcome(msgspec.Struct):
    """What became of it: whether it was sent, whether the address can be used, and what the library said."""

    sent: bool
    usable: bool
    said: str


class Apprise(Way):
    """Sends to one of apprise's addresses."""

    kind = "apprise"

    def __init__(self, url: str, *, limit_s: float = _LIMIT_SECONDS) -> None:
        if find_spec("apprise") is None:
            raise InputError("apprise needs an extra: pip install 'storemon[notify]'")
        self._url, self._limit_s = url, limit_s
        self.where = f"{url.partition('://')[0]}://…"

    def send(self, message: Message) -> None:
        """Have another process send it, and wait for that."""
        resolved = message.data.get("kind") == "resolved"
        wanted = Wanted(self._url, message.title, message.text, message.severity, resolved, message.files)
        try:
            ran = subprocess.run(  # noqa: S603 - our own module, by the Python that runs us
                _COMMAND, input=msgspec.json.encode(wanted), capture_output=True, timeout=self._limit_s, check=False
            )
            outcome = msgspec.json.decode(ran.stdout, type=Outcome)
        except subprocess.TimeoutExpired:
            raise ChannelError(f"{self.where} does not answer for {self._limit_s:g} s") from None
        except (OSError, msgspec.MsgspecError) as error:
            raise ChannelError(f"{self.where}: apprise ended without an answer; look at its installation") from error
        if not outcome.usable:
            raise ChannelError(f"{self.where} is no address that apprise knows; see its documentation", again=False)
        if not outcome.sent:
            raise ChannelError(f"{self.where} was not reached: {outcome.said or 'apprise does not say why'}")
