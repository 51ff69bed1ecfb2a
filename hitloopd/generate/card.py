"""A model's card: what ``models/<name>/card.yaml`` says, and whether the model beside it is the one it speaks of.

Conventions: a model is a folder with ``model.onnx`` and ``card.yaml``. The card's ``sha256`` is that of model.onnx in
hex, ``kind`` says who draws with it (``learned.KINDS``), ``encoding`` which picture of a bar it was trained on. Nothing
here loads numpy or onnxruntime: any process may read a card.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

from hitloopd.core.errors import UnavailableError

CARD: Final = "card.yaml"
MODEL: Final = "model.onnx"
ENCODING: Final = 1
"""Version of the roll (128 steps x 20 rows, see ``roll``) that models see and draw; another one would be misread."""
MAX_CARD_BYTES: Final = 1 << 20
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # not every build of PyYAML has libyaml
_HEX_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class Card:
    """What a player of the model needs of its card; ``fields`` has everything that stands there."""

    name: str
    kind: str
    encoding: int
    sha256: str
    styles: tuple[str, ...]
    fields: Mapping[str, object]

    @property
    def model_hash(self) -> str:
        """Twelve hex digits of the model file's hash: what provenance names."""
        return self.sha256[:12]


def read_card(folder: Path) -> Card:
    """The card of the model in ``folder``.

    Raises:
        UnavailableError: there is none, or it is not one; the message says what is wrong with which file.

    Thread: any. Real-time: no.
    """
    path = folder / CARD
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CARD_BYTES + 1)
    except OSError as error:
        raise _refused(folder, f"{path} can't be read ({error.strerror})") from error
    if len(raw) > MAX_CARD_BYTES:
        raise _refused(folder, f"{path} is larger than {MAX_CARD_BYTES} bytes")
    try:
        data: Any = yaml.load(raw, _LOADER)  # noqa: S506 - _LOADER is the safe one
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(folder, f"{path} is not YAML ({str(error).partition(chr(10))[0]})") from error
    if not isinstance(data, dict):
        raise _refused(folder, f"{path} is not a mapping")
    return _card(folder, cast("dict[str, object]", data))


def check_files(folder: Path, card: Card) -> bytes:
    """The model's bytes, once they are proved to be those that the card speaks of.

    Raises:
        UnavailableError: the model is missing, has another hash, or was made for another encoding.

    Thread: generator process. Real-time: no (reads and hashes the whole file).
    """
    if card.encoding != ENCODING:
        raise _refused(folder, f"it was made for encoding {card.encoding}, this program has {ENCODING}")
    return checked_bytes(folder, MODEL, card.sha256)


def checked_bytes(folder: Path, name: str, sha256: str) -> bytes:
    """A file of the model, once it is proved to have the hash that the card names.

    Raises:
        UnavailableError: it is missing or another one.
    """
    path = folder / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refused(folder, f"{path} can't be read ({error.strerror})") from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise _refused(folder, f"{path} has sha256 {found[:12]}…, its card says {sha256[:12]}…")
    return data


def _card(folder: Path, data: Mapping[str, object]) -> Card:
    kind, encoding, digest = data.get("kind"), data.get("encoding"), data.get("sha256")
    if not isinstance(kind, str) or not kind:
        raise _refused(folder, f"{folder / CARD} names no kind")
    if not isinstance(encoding, int) or isinstance(encoding, bool):
        raise _refused(folder, f"{folder / CARD} names no encoding version")
    if not isinstance(digest, str) or len(digest) != _HEX_DIGITS:
        raise _refused(folder, f"{folder / CARD} has no sha256 of the model")
    raw: Any = data.get("styles") or []
    if not isinstance(raw, list):
        raise _refused(folder, f"styles in {folder / CARD} is not a list")
    names = tuple(str(style) for style in cast("list[object]", raw))
    return Card(folder.name, kind, encoding, digest.lower(), names, data)


def _refused(folder: Path, why: str) -> UnavailableError:
    return UnavailableError(
        f"The model '{folder.name}' is refused: {why}. Put the whole folder there again, or choose another generator."
    )
