"""Drive hitloopd from TouchDesigner, and have its beats and notes in your network.

Set up (once, about two minutes):

1. Put an *OSC Out DAT* named ``oscout_hitloop`` in your network: Network Address 127.0.0.1, Network Port 9000.
2. Put an *OSC In DAT* named ``oscin_hitloop`` beside it: Network Port 9001. Leave "Add Timestamp" off.
3. Put a *Constant CHOP* named ``hitloop`` beside them; it needs no values, this script makes them.
4. Put this file in a *Text DAT* named ``hitloop_script`` and set the OSC In DAT's "Callbacks DAT" to it.
5. Run ``op('hitloop_script').module.connect()`` in the textport. Run it from an *Execute DAT*'s ``onStart`` as well,
   and ``ping()`` from a *Timer CHOP* every 30 s: subscriptions end after 65 s of silence.

Then ``op('hitloop_script').module.send('/hitloop/gen/regenerate')`` makes a new bar, and the channels ``bar``,
``beat``, ``bpm``, ``kick``, ``snare``, ``hihat``, ``cymbal`` and ``bass`` of the CHOP follow the music: a lane's
channel is the velocity of its last note. Hook your own reactions into ``ON_BEAT`` and ``ON_NOTE``.

TouchDesigner stamps bundles by its own clock; send plain messages, as this script does.
"""

# ruff: noqa: A002, ANN001, ARG001, F821, INP001, N802, N803, PLR0917 - TouchDesigner dictates its callback and brings `op`
from __future__ import annotations

ANSWERS_PORT = 9001
OUT, CHOP = "oscout_hitloop", "hitloop"
LANES = ("kick", "snare", "hihat", "cymbal", "bass")

PLACES = {name: index for index, name in enumerate(("bar", "beat", "bpm", "playing", *LANES))}
"""Which row of the CHOP a channel has."""

ON_BEAT: list = []
"""Functions of (bar, beat, bpm)."""

ON_NOTE: list = []
"""Functions of (lane, bar, cell, velocity, pitch)."""


def greeting(port: int = ANSWERS_PORT) -> list[tuple[str, list]]:
    """What to send first: where answers go, and what to be told. Pairs of address and arguments."""
    return [
        ("/hitloop/sys/client", ["touchdesigner", port]),
        ("/hitloop/sys/subscribe", []),
        ("/hitloop/sys/subscribe", ["note"]),
    ]


def channels(address: str, args: list) -> dict:
    """What a message from hitloopd means for the CHOP: channel names with their new values."""
    if address == "/hitloop/event/beat" and len(args) == 3:
        return dict(zip(("bar", "beat", "bpm"), args, strict=True))
    if address == "/hitloop/event/note" and len(args) == 5 and args[0] in LANES:
        return {args[0]: args[3]}
    if address == "/hitloop/event/transport" and len(args) == 3:
        return {"playing": int(args[0] == "playing"), "bpm": args[1]}
    return {}


def reactions(address: str, args: list) -> int:
    """Call the functions hooked to this message; how many there were."""
    hooked = {"/hitloop/event/beat": ON_BEAT, "/hitloop/event/note": ON_NOTE}.get(address, [])
    for react in hooked:
        react(*args)
    return len(hooked)


# ── what TouchDesigner calls, or you do; ``op`` is TouchDesigner's own ──────────────────────────────────────────────


def send(address: str, *args: object) -> None:
    """Send one message to hitloopd, e.g. ``send('/hitloop/gen/energy', 0.8)``."""
    op(OUT).sendOSC(address, list(args))


def connect() -> None:
    """Say where answers go, and subscribe."""
    for address, args in greeting():
        send(address, *args)


def ping() -> None:
    """Keep the subscriptions."""
    send("/hitloop/sys/ping")


def onReceiveOSC(dat, rowIndex, message, bytes, timeStamp, address, args, peer) -> None:
    """The OSC In DAT's callback."""
    if address == "/hitloop/sys/error":
        debug("hitloopd:", *args)
    chop = op(CHOP)
    for name, value in channels(address, args).items():
        # The Constant CHOP names its rows const0name, const0value and so on; each channel keeps its row.
        setattr(chop.par, f"const{PLACES[name]}name", name)
        setattr(chop.par, f"const{PLACES[name]}value", value)
    reactions(address, args)
