"""One use of an address by anything that is not OSC: MIDI control, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hitloopd.control.lookup import resolve, unknown
from hitloopd.control.wire import Raw
from hitloopd.core.errors import ArgumentError, HitloopError
from hitloopd.ports.surface import Desk, Outcome, Rejected


def perform(desk: Desk, path: str, args: Sequence[Raw], now_ns: int, told: Callable[[str, Outcome], None]) -> None:
    """Carry ``path`` out with ``args``; ``told`` gets the path and what became of it, once for each endpoint.

    Never raises what the user caused: that is a ``Rejected``. Thread: control loop. Real-time: no.
    """
    try:
        endpoints = resolve(path)
    except HitloopError as error:
        told(path, Rejected(error.code, str(error)))
        return
    if not endpoints:
        told(path, Rejected("unknown", unknown(path)))
    for endpoint in endpoints:
        try:
            call = endpoint.call(args, now_ns)
            if endpoint.row.build is None:
                raise ArgumentError(f"{endpoint.path} can't be set.")
            command = endpoint.row.build(call)
        except HitloopError as error:
            told(endpoint.path, Rejected(error.code, str(error)))
            continue
        if not endpoint.row.is_release(call):
            desk.submit(endpoint.address, command, lambda outcome, at=endpoint.path: told(at, outcome))
