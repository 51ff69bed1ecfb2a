"""The audio process: ``io.audio`` between its links."""

from __future__ import annotations

import os
import select
from collections.abc import Sequence

from hitloopd.app.messages import Quit, Ready
from hitloopd.io.audio_messages import AudioSpec
from hitloopd.io.link import Link

STUCK = 3
"""Exit code of a process whose audio driver hangs."""


def run(supervisor: Link, spec: AudioSpec, control: Link, player: Link) -> None:
    """Sound, and write captures, until told to quit or the supervisor is gone. The process's entry point."""
    from hitloopd.io.audio import run_audio  # noqa: PLC0415 - numpy is loaded here and in no other process

    ends = Ends(supervisor, control, player)
    supervisor.send(Ready("audio"))
    if not run_audio(spec, ends.receive, lambda notice: _tell(control, notice), lambda: ends.ended):
        os._exit(STUCK)  # PortAudio's own end would hang as well; the supervisor starts another process
    while not ends.ended:  # without a device and a capture there is nothing to do; but a process that ends is restarted
        ends.receive(1.0)


def _tell(control: Link, notice: object) -> None:
    control.send(notice)


class Ends:
    """The process's links as one source of messages."""

    def __init__(self, supervisor: Link, control: Link, player: Link) -> None:
        self.ended = False
        self._supervisor = supervisor
        self._links = (player, control)

    def receive(self, timeout_s: float) -> Sequence[object]:
        """Wait at most so long for messages and return those there are."""
        select.select([self._supervisor, *self._links], (), (), timeout_s)
        if any(isinstance(word, Quit) for word in self._supervisor.receive()) or self._supervisor.closed:
            self.ended = True
        return [message for link in self._links for message in link.receive()]
