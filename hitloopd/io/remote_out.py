"""Outputs that live in another process: events are handed over a link, one datagram per player step."""

from __future__ import annotations

from collections.abc import Callable

from hitloopd.io.audio_messages import Event
from hitloopd.io.link import Link


class RemoteOut:
    """A MidiOut whose notes are played, or written down, by the audio process.

    Args:
        name: the output's name.
        link: to the audio process.
        lead_ns: how early it wants its events.
        wrap: what the events are sent as (``PlayerEvents`` to sound, ``SentMidi`` to be captured).
    """

    def __init__(self, name: str, link: Link, lead_ns: int, wrap: Callable[[tuple[Event, ...]], object]) -> None:
        self.name = name
        self.lead_ns = lead_ns
        self._link = link
        self._wrap = wrap
        self._events: list[Event] = []

    def send(self, at_ns: int, tick: int, data: bytes) -> None:
        """Keep it until the step ends. Thread: player. Real-time: yes."""
        self._events.append((at_ns, tick, data))

    def flush(self) -> None:
        """Hand over. Thread: player. Real-time: yes."""
        if self._events:
            self._link.send(self._wrap(tuple(self._events)))
            self._events.clear()

    def close(self) -> None:
        """Hand over the rest. Thread: player. Real-time: no."""
        self.flush()
