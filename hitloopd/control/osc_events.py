"""From notices to what OSC subscribers are told."""

from __future__ import annotations

import contextlib
from typing import Final

from hitloopd.control.subscriptions import BAR, BEAT, KIT, NOTE, TRANSPORT, WARNING, Subscriptions
from hitloopd.core.errors import HitloopError
from hitloopd.core.notices import (
    BarStarted,
    Beat,
    ClockChanged,
    KitProgress,
    Late,
    NotePlayed,
    Notice,
    PortBack,
    PortLost,
    SessionChanged,
    TransportChanged,
    Warned,
)
from hitloopd.ports.surface import Desk

POSITION: Final = "/hitloop/transport/position"
STATUS: Final = "/hitloop/sync/status"
LISTEN: Final = "/hitloop/kit/listen"
OF_TRANSPORT: Final = ("/hitloop/transport/bpm", "/hitloop/sync/source", STATUS)


def publish(notice: Notice, to: Subscriptions, desk: Desk, now_ns: int) -> None:
    """Tell every subscriber whom ``notice`` concerns. Notices that are no news to a client are passed over."""
    match notice:
        case Beat(bar, beat, bpm, at_ns):
            to.event(BEAT, (bar, beat, bpm), at_ns, now_ns)
            _ask_and_tell((POSITION,), to, desk, now_ns)
        case BarStarted(bar, pattern_id, at_ns):
            to.event(BAR, (bar, pattern_id), at_ns, now_ns)
        case NotePlayed(bar, lane, cell, velocity, pitch, at_ns):
            to.event(NOTE, (lane.value, bar, cell, velocity, pitch), at_ns, now_ns)
        case TransportChanged(transport):
            to.event(TRANSPORT, (transport.state.value, transport.bpm, transport.source.value), now_ns, now_ns)
            _ask_and_tell(OF_TRANSPORT, to, desk, now_ns)
        case KitProgress(stage, share, text):
            to.event(KIT, (stage, share, text), now_ns, now_ns)
            _ask_and_tell((LISTEN,), to, desk, now_ns)
        case SessionChanged(values, bar):
            for address, value in values:
                to.changed(address, value, bar, now_ns)
        case _:
            _warn(notice, to, desk, now_ns)


def _warn(notice: Notice, to: Subscriptions, desk: Desk, now_ns: int) -> None:
    match notice:
        case ClockChanged(clock, text):
            _ask_and_tell((STATUS,), to, desk, now_ns)
            words = (f"clock {clock.value}", text)
        case Warned(code, text):
            words = (code, text)
        case PortLost(port, text):
            words = ("port", f"{port}: {text}")
        case PortBack(port):
            words = ("port", f"{port} is back.")
        case Late(bar):
            words = ("late", f"An answer came too late for its bar and is cued for bar {bar}.")
        case _:
            return
    to.event(WARNING, words, now_ns, now_ns)


def _ask_and_tell(addresses: tuple[str, ...], to: Subscriptions, desk: Desk, now_ns: int) -> None:
    for address in addresses:
        if to.watched(address):
            # A desk that has no such value yet has nothing to tell.
            with contextlib.suppress(HitloopError):
                to.changed(address, desk.value(address), -1, now_ns)
