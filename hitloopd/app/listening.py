"""Live sampling from the daemon's side: starts ``hitloopd extract --listen`` as a process and passes on what it says.

The beat knows nothing of it: recording and extraction happen in processes of their own, at low priority.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from hitloopd.app.extract import new_name, require_packages
from hitloopd.app.settings import Settings
from hitloopd.core.commands import Listen
from hitloopd.core.errors import UnavailableError
from hitloopd.core.notices import KitProgress

PATIENCE_S: Final = 3.0
LINE_BYTES: Final = 1 << 20


class Listening:
    """One live sampling at a time.

    Args:
        settings: where to listen.
        config: the config file, for the process.
        overrides: ``key=value``, for the process.
        tell: gets every step.

    Attributes:
        use: the kit is to be played once it is ready.

    Thread: control loop. Real-time: no.
    """

    def __init__(
        self,
        settings: Settings,
        config: Path | None,
        overrides: Sequence[str],
        tell: Callable[[KitProgress], None],
        command: Sequence[str] = (sys.executable, "-m", "hitloopd.app.cli"),
    ) -> None:
        self._source = settings.audio.input
        self._words = [f"--set={override}" for override in overrides]
        if config is not None:
            self._words += ["--config", str(config)]
        self._tell = tell
        self._command = tuple(command)
        self._task: asyncio.Task[None] | None = None
        self.use = True

    @property
    def busy(self) -> bool:
        """It records or extracts."""
        return self._task is not None and not self._task.done()

    def begin(self, command: Listen) -> None:
        """Start; the steps follow as notices.

        Raises:
            UnavailableError: one goes on already, or the extra is not installed (with the command that mends it).
        """
        if self.busy:
            raise UnavailableError("It listens already; wait until that kit is ready. Nothing was changed.")
        require_packages()
        self.use = command.use
        self._tell(KitProgress("records", 0.0, f"Records for {command.seconds:g} s."))
        self._task = asyncio.get_running_loop().create_task(self._run(command.seconds, new_name()))

    async def close(self) -> None:
        """Break off what goes on."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # as it was told
                await self._task

    async def _run(self, seconds: float, name: str) -> None:
        words = ("extract", "--listen", f"{seconds:g}", "--name", name, "--source", self._source, "--lines", "--no-use")
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *words,
                *self._words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE_BYTES,
            )
        except OSError as error:
            self._tell(KitProgress("failed", 1.0, f"Live sampling could not be started: {error}."))
            return
        try:
            await self._follow(process)
        finally:
            await _end(process)

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        complaints = asyncio.ensure_future(process.stderr.read())
        ended = False
        try:
            async for line in process.stdout:
                step = _step(line)
                if step is not None:
                    ended |= step.stage in ("ready", "failed")
                    self._tell(step)
            said = (await complaints).decode("utf-8", "replace").strip().splitlines()
        finally:
            complaints.cancel()
        if not ended:
            why = said[-1] if said else "it does not say why"
            self._tell(KitProgress("failed", 1.0, f"Live sampling ended before its time: {why}"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """It ends what it started itself; if it does not end, it is killed."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):  # it went by itself
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), PATIENCE_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):  # as above
            process.kill()


def _step(line: bytes) -> KitProgress | None:
    """One line of the process; ``None`` where it is none of ours."""
    try:
        told: dict[str, Any] = json.loads(line)
        return KitProgress(str(told["stage"]), float(told["share"]), str(told["text"]), str(told.get("kit", "")))
    except (ValueError, KeyError, TypeError):
        return None
