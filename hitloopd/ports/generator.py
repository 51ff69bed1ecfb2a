"""The plug-in door for generators: entry point group ``hitloopd.generators``, a class without arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hitloopd.core.pattern import Pattern
from hitloopd.core.request import Request


class Generator(Protocol):
    """Anything that answers a request with a pattern. Runs in the generator process; may be slow, may crash."""

    name: str
    styles: Sequence[str]

    @property
    def model_hash(self) -> str:
        """Hash of what decides its output besides the request: model file or rule tables."""
        ...

    def generate(self, request: Request) -> Pattern:
        """The bar, candidates and priorities included; same request, same bytes.

        Raises:
            HitloopError: the request can't be met; the message says why and what can.

        Thread: generator process. Real-time: no.
        """
        ...
