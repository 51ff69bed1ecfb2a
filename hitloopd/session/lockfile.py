"""One daemon per state folder: a lock that the system lets go of when its holder dies, however it dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from hitloopd.core.errors import DeviceError

NAME: Final = "lock"
_FAR: Final = 1 << 20  # where Windows locks its one byte: beyond the text, which others want to read

if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int) -> None:
        os.lseek(fd, _FAR, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        os.lseek(fd, 0, os.SEEK_SET)

else:
    import fcntl

    def _try_lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def hold(folder: Path) -> int:
    """Hold the folder's lock; closing the returned descriptor lets it go.

    Raises:
        DeviceError: another process holds it; the message says which.
        OSError: the folder can't be written.
    """
    path = folder / NAME
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _try_lock(fd)
    except OSError as error:
        os.close(fd)
        raise DeviceError(
            f"The state folder {folder} is in use by process {_holder(path)}; "
            f"stop that one, or give this one a folder of its own with paths.state."
        ) from error
    os.ftruncate(fd, 0)
    os.write(fd, f"{os.getpid()}\n".encode())
    return fd


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip() or "unknown"
    except (OSError, UnicodeDecodeError):
        return "unknown"
