"""Whose work a model learned from: the credits in its index file, read without numpy."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Final, cast

from hitloopd.core.errors import UnavailableError

INDEX: Final = "index.zip"
FACTS: Final = "index.json"
MAX_FACTS_BYTES: Final = 16 << 20


def read_facts(file: zipfile.ZipFile) -> dict[str, Any]:
    """What an index says beside its numbers: version, key, songs.

    Raises:
        Exception: whatever zip, zlib and JSON meet in damaged bytes; ``ValueError`` where there is too much of it.
    """
    if file.getinfo(FACTS).file_size > MAX_FACTS_BYTES:
        raise ValueError(f"more than {MAX_FACTS_BYTES} bytes of songs")
    return cast("dict[str, Any]", json.loads(file.read(FACTS)))


def song_credits(folder: Path) -> list[dict[str, str]]:
    """Title, author, licence, origin and number of bars of every song the model in ``folder`` was trained on.

    Raises:
        UnavailableError: the index is not there or can't be read.

    Thread: any. Real-time: no.
    """
    path = folder / INDEX
    try:
        with zipfile.ZipFile(path) as file:
            facts = read_facts(file)
        songs = cast("list[dict[str, Any]]", facts["songs"])
        return [{str(name): str(value) for name, value in song.items()} for song in songs]
    except Exception as error:  # whatever zip, zlib and JSON meet in damaged bytes
        raise UnavailableError(f"The credits of '{folder.name}' can't be read from {path}: {error}.") from error
