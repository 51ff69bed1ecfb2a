"""The folders of the networks that hear: where the shipped ones lie, and what their cards must say to be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from hitloopd.core.errors import UnavailableError
from hitloopd.generate.card import CARD, MODEL, checked_bytes
from hitloopd.generate.learned import Session, open_session
from offline.yaml_text import read_yaml

_ROOT: Final = Path(__file__).resolve().parents[2]
_PLACES: Final = (_ROOT / "hitloopd" / "data" / "models", _ROOT / "models")  # a wheel, a checkout


def shipped(kind: str) -> Path:
    """The folder of the network of a kind that comes with hitloopd."""
    folders = [place / kind for place in _PLACES]
    return next((folder for folder in folders if folder.is_dir()), folders[-1])


def read_card(folder: Path, kind: str, hears: str) -> Mapping[str, Any]:
    """What a network's card says.

    Args:
        folder: of the network.
        kind: that the card must name.
        hears: what such a network is for, in messages: ``drum``, ``bass``.

    Raises:
        UnavailableError: there is none, it can't be read, or it is of another kind.
    """
    path = folder / CARD
    try:
        card = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnavailableError(f"{path} can't be read ({error.strerror}): no {hears} network there.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnavailableError(f"{path} is not YAML: {' '.join(str(error).split())[:100]}") from error
    if not isinstance(card, Mapping) or card.get("kind") != kind:
        raise UnavailableError(f"{folder} holds no {hears} network: its card is of another kind.")
    return card


def network(folder: Path, card: Mapping[str, Any]) -> Session:
    """The network of a folder, ready to run.

    Raises:
        UnavailableError: it is not what the card says, or can't be run.
    """
    return open_session(checked_bytes(folder, MODEL, str(card.get("sha256"))))
