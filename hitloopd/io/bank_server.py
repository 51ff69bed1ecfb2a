"""The process that makes banks: ``python -m hitloopd.io.bank_server`` answers ``io.bank_maker`` until its input ends.

It keeps the sounds that it has read, so that "another sample on one lane" is quick, and runs at low priority.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import BinaryIO, Final

from hitloopd.core.errors import ConfigError, HitloopError
from hitloopd.io import realtime
from hitloopd.io.bank_maker import Head, Request, put, take
from hitloopd.io.kit_sounds import build_bank
from hitloopd.io.samples import FileSounds
from hitloopd.io.synth.cache import SoundCache

NICER: Final = 10


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until they end. The process's loop."""
    files = FileSounds()
    while isinstance(request := take(requests), Request):
        cache = SoundCache(Path(request.cache_dir) if request.cache_dir else None)
        try:
            result = build_bank(
                request.kit,
                Path(request.folder),
                request.rate,
                request.pitches,
                cache,
                whole=request.whole,
                files=files,
            )
        except HitloopError as error:
            problems = error.problems if isinstance(error, ConfigError) else (str(error),)
            put(answers, Head(refused=problems))
            continue
        except (ValueError, MemoryError, OSError) as error:  # a sound that no reader of ours foresaw
            put(answers, Head(refused=(f"Kit '{request.kit.name}': {error}",)))
            continue
        bank = result.bank
        put(answers, Head(len(bank.data), bank.starts, bank.lengths, result.problems))
        answers.write(bank.data.data.cast("B"))
        answers.flush()


def main() -> int:
    """The process: quiet, unhurried, and gone when nobody asks any more."""
    realtime.relax_thread()
    if hasattr(os, "nice"):
        os.nice(NICER)
    with contextlib.suppress(BrokenPipeError):  # the audio process went; so do we
        serve(sys.stdin.buffer, sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
