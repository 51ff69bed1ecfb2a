"""MIDI ports as the player sees them. Channels in these bytes are 0..15."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

CALL_OFF: Final = b"\xbf\x77\x7f"
"""To outputs that sound by themselves only: what they were handed for later than this does not begin. On the wire it
would be controller 119, which means nothing in MIDI, on channel 16."""


class MidiOut(Protocol):
    """Something that takes MIDI messages with the time at which they are due.

    A real port sends at once (``lead_ns`` 0: it is called at the due time); JACK, the audio process and the capture
    file want events ahead and place them exactly.
    """

    name: str

    @property
    def lead_ns(self) -> int:
        """How early events are wanted; may change with what is behind the port."""
        ...

    def send(self, at_ns: int, tick: int, data: bytes) -> None:
        """Take one whole message.

        Never blocks and never raises: a lost port drops, counts and tells it by ``problem``.

        Args:
            at_ns: when it is due, monotonic.
            tick: the timeline tick it belongs to.
            data: one MIDI message without running status.

        Thread: player. Real-time: yes.
        """
        ...

    def flush(self) -> None:
        """End of a player step: adapters that batch hand over now. Thread: player. Real-time: yes."""
        ...

    def close(self) -> None:
        """Let the port go; every note was released before. Thread: player. Real-time: no."""
        ...


class MidiIn(Protocol):
    """Something that messages come from."""

    name: str

    def receive(self) -> Sequence[tuple[int, bytes]]:
        """All messages since the last call as (arrival ns, message), in order. Thread: player. Real-time: yes."""
        ...

    def close(self) -> None:
        """Let the port go. Thread: player. Real-time: no."""
        ...
