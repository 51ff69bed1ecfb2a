"""The OSC core on a fake clock, with a fake desk and no socket."""

from __future__ import annotations

from dataclasses import dataclass, field

from hitloopd.control.clients import Address
from hitloopd.control.osc_codec import Message, decode, encode
from hitloopd.control.osc_core import OscCore
from hitloopd.control.schedule import NTP_TO_UNIX_S
from hitloopd.core.time import NS_PER_S
from hitloopd.testing.fake_desk import FakeDesk

ME = Address("udp", "127.0.0.1", 50_000)
OTHER = Address("udp", "127.0.0.1", 50_001)
EPOCH_NS = 1_700_000_000 * NS_PER_S


def tag_at(mono_ns: int) -> int:
    """The NTP tag of a moment on the rig's clock."""
    seconds, rest = divmod(EPOCH_NS + mono_ns, NS_PER_S)
    return (seconds + NTP_TO_UNIX_S << 32) | -(-(rest << 32) // NS_PER_S)


@dataclass
class Rig:
    """Say something, look at what came back."""

    desk: FakeDesk = field(default_factory=FakeDesk)
    now_ns: int = 1_000 * NS_PER_S
    sent: list[tuple[bytes, Address]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.core = OscCore(
            self.desk,
            lambda data, to: self.sent.append((data, to)),
            version="9.9",
            mono_ns=lambda: self.now_ns,
            wall_ns=lambda: EPOCH_NS + self.now_ns,
        )

    def say(self, path, *args, source=ME):
        """Send one message; all that comes back, as (path, args)."""
        return self.raw(encode(path, args), source)

    def raw(self, data, source=ME):
        self.sent.clear()
        self.core.receive(data, source)
        return self.heard(source)

    def heard(self, source=ME):
        """What was sent to ``source`` since the last ``say``."""
        return [(m.path, m.args) for data, to in self.sent if to == source for m in messages(data)]

    def error(self, *words, source=ME):
        """Send and expect exactly one error: its code and text."""
        [(path, (_, code, text))] = self.say(*words, source=source)
        assert path == "/hitloop/sys/error"
        return code, text

    def advance(self, ms):
        self.now_ns += round(ms * 1e6)
        self.core.step(self.now_ns)


def messages(data: bytes) -> list[Message]:
    return [item for group in decode(data) for item in group.items if isinstance(item, Message)]
