"""Where things are: what ships with the program, and the user's own folders.

Conventions: a shipped thing is found by name from any working directory, in a wheel (``hitloopd/data/…``) as in a
checkout (``configs/``, ``models/`` beside the package). Some things are a file, others a folder with a certain file in
it. Nothing is created here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hitloopd.core.errors import UnknownNameError, nearest
from hitloopd.generate.places import Places

APP: Final = "hitloopd"
_PACKAGE: Final = Path(__file__).resolve().parents[1]
_ROOTS: Final = (_PACKAGE / "data", _PACKAGE.parent)
KINDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "config": ("configs", (".yaml", ".yml")),
    "kit": ("configs/kits", (".yaml", ".yml", "/pack.yaml")),
    "controller": ("configs/controllers", (".yaml", ".yml")),
    "model": ("models", ("/model.onnx",)),
}


@dataclass(frozen=True, slots=True)
class UserDirs:
    """The user's folders: session state, deletable cache, own kits and controllers. They may not exist yet."""

    state: Path
    cache: Path
    library: Path


def user_dirs(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> UserDirs:
    """The usual folders of this system: XDG on Linux, Library on macOS, AppData on Windows."""
    env = os.environ if environ is None else environ
    home = Path(env.get("HOME") or env.get("USERPROFILE") or Path.home())
    if platform == "darwin":
        support = home / "Library" / "Application Support" / APP
        return UserDirs(support / "state", home / "Library" / "Caches" / APP, support / "library")
    if platform == "win32":
        local = Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local") / APP
        return UserDirs(local / "state", local / "cache", local / "library")
    return UserDirs(
        _xdg(env, "XDG_STATE_HOME", home / ".local" / "state") / APP,
        _xdg(env, "XDG_CACHE_HOME", home / ".cache") / APP,
        _xdg(env, "XDG_DATA_HOME", home / ".local" / "share") / APP,
    )


def shipped(kind: str, library: Path | None = None) -> dict[str, Path]:
    """Name to path of everything of a kind (config, kit, controller, model); the user's library wins over ours."""
    folder, suffixes = KINDS[kind]
    found: dict[str, Path] = {}
    for root in _search(folder, library):
        for name, path in _scan(root, suffixes):
            found.setdefault(name, path)
    return dict(sorted(found.items()))


def folders(kind: str, library: Path | None = None) -> tuple[Path, ...]:
    """Where things of a kind are looked for, the user's library first; those folders that are there."""
    return tuple(root for root in _search(KINDS[kind][0], library) if root.is_dir())


def places(library: Path | None = None, dataset: Path | None = None) -> Places:
    """Where generators are that are no code: the models' folders, the user's first, and the data set for rowmix."""
    return Places(folders("model", library), dataset)


def find(kind: str, name: str, library: Path | None = None) -> Path:
    """The file of that name, or the file itself where ``name`` is a path.

    Raises:
        UnknownNameError: there is none; the message lists what there is.
    """
    if Path(name).is_file():
        return Path(name).resolve()
    for inner in (suffix for suffix in KINDS[kind][1] if suffix.startswith("/")):
        if os.sep in name and Path(name + inner).is_file():
            return Path(name + inner).resolve()
    found = shipped(kind, library)
    if name not in found:
        there = ", ".join(found) or "none here"
        raise UnknownNameError(f"There is no {kind} '{name}'; there are: {there}.{nearest(name, found)}")
    return found[name]


def _xdg(env: Mapping[str, str], name: str, usual: Path) -> Path:
    """XDG base directory specification: a relative path in the variable is invalid and to be ignored."""
    value = Path(env.get(name) or usual)
    return value if value.is_absolute() else usual


def _search(folder: str, library: Path | None) -> list[Path]:
    own = [library / folder.rpartition("/")[2]] if library is not None else []
    return own + [root / folder for root in _ROOTS]


def _scan(root: Path, suffixes: tuple[str, ...]) -> list[tuple[str, Path]]:
    if not root.is_dir():
        return []
    inner = [suffix[1:] for suffix in suffixes if suffix.startswith("/")]
    found = [(item.stem, item) for item in sorted(root.iterdir()) if item.suffix in suffixes and item.is_file()]
    return found + [(item.parent.name, item) for name in inner for item in sorted(root.glob(f"*/{name}"))]
