"""The terminal: keys one by one, a frame redrawn in place, and everything put back on the way out.

Escape sequences are written only to a terminal; into a pipe or file only whole plain lines go.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from collections.abc import Callable, Generator, Sequence
from typing import Final, TextIO

_UP: Final = "\x1b[{}A"
_CLEAR_LINE: Final = "\x1b[K"
_CLEAR_BELOW: Final = "\x1b[J"
_ESCAPED: Final = re.compile(r"\x1b(\[[0-9;]*[A-Za-z~]|O.)?")
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"


class Screen:
    """A frame at the bottom of the terminal, with plain lines scrolling above it.

    Args:
        out: where to write; standard output usually.

    Attributes:
        live: it is a terminal.
        gone: it was a terminal or pipe, and nobody is there any more.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._shown: list[str] = []
        self.live = self._out.isatty()
        self.gone = False

    @property
    def width(self) -> int:
        """Columns to fill."""
        return shutil.get_terminal_size().columns - 1

    @property
    def height(self) -> int:
        """Rows there are."""
        return shutil.get_terminal_size().lines

    @property
    def ascii_only(self) -> bool:
        """Whether blocks and lines can't be written here."""
        try:
            "█│▲·".encode(self._out.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return True
        return False

    def draw(self, lines: Sequence[str]) -> None:
        """Show ``lines`` in place of the last frame; into a pipe nothing is written."""
        if not self.live:
            return
        fitting = list(lines)[-(self.height - 1) :]
        self._write(self._back() + "".join(f"{line}{_CLEAR_LINE}\n" for line in fitting) + _CLEAR_BELOW)
        self._shown = fitting

    def log(self, text: str) -> None:
        """A line that stays, above the frame."""
        if not self.live:
            self._write(f"{text}\n")
            return
        shown = self._shown
        self._write(f"{self._back()}{_CLEAR_BELOW}{text}\n")
        self._shown = []
        self.draw(shown)

    def _back(self) -> str:
        return _UP.format(len(self._shown)) + "\r" if self._shown else ""

    def _write(self, text: str) -> None:
        if self.gone:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:
            self.gone = True  # the terminal was closed, or who read the pipe left: nobody is there to be told


@contextlib.contextmanager
def keys(stdin: TextIO | None = None, out: TextIO | None = None) -> Generator[Callable[[float], str]]:
    """Single keys without Enter. Yields ``read(timeout_s) -> str`` (empty: no key); restores the terminal on any exit.

    Where standard input is no terminal, ``read`` waits and gives nothing. Ctrl-C stays what it is.
    """
    source, screen = stdin or sys.stdin, out or sys.stdout
    if not source.isatty():
        yield _no_key
    elif sys.platform == "win32":
        yield _windows_key
    else:
        with _cbreak(source, screen):
            yield _PosixKeys(source).read


@contextlib.contextmanager
def _cbreak(source: TextIO, screen: TextIO) -> Generator[None]:
    import termios  # noqa: PLC0415 - POSIX only
    import tty  # noqa: PLC0415

    fd = source.fileno()
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        if screen.isatty():
            screen.write(_HIDE)
            screen.flush()
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
        if screen.isatty():
            screen.write(_SHOW)
            screen.flush()


class _PosixKeys:
    """One key at a time, also when somebody types faster than the view looks."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self._typed = ""

    def read(self, timeout_s: float) -> str:
        """The next key; an arrow or function key is one of several characters, so that it is unknown and not three."""
        import os  # noqa: PLC0415 - only with a terminal
        import select  # noqa: PLC0415

        if not self._typed and select.select([self._source], [], [], timeout_s)[0]:
            self._typed = os.read(self._source.fileno(), 256).decode(errors="replace")
        key = _ESCAPED.match(self._typed)
        length = key.end() if key else 1
        first, self._typed = self._typed[:length], self._typed[length:]
        return first


def _windows_key(timeout_s: float) -> str:
    import importlib  # noqa: PLC0415 - msvcrt is there on Windows only
    import time  # noqa: PLC0415

    msvcrt = importlib.import_module("msvcrt")
    end = time.monotonic() + timeout_s
    while True:
        if msvcrt.kbhit():
            return str(msvcrt.getwch())
        if time.monotonic() >= end:
            return ""
        time.sleep(0.01)


def _no_key(timeout_s: float) -> str:
    import time  # noqa: PLC0415

    time.sleep(timeout_s)
    return ""
