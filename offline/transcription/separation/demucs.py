"""Demucs as a separator: the user's own package, with weights that it has or fetches itself.

Spoken to by ``demucs.pretrained`` and ``demucs.apply``, which every release since 3 has. What it needs is asked for
when the separator is made, so that one line tells what is missing before any song is read.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soxr

from hitloopd.core.errors import UnavailableError
from offline.audio import RATE, Wave
from offline.transcription.heard import Stems

MODEL: Final = "htdemucs"
MODEL_VARIABLE: Final = "HITLOOP_DEMUCS_MODEL"
FOLDER_VARIABLE: Final = "HITLOOP_DEMUCS_FOLDER"
OVERLAP: Final = 0.25
"""Of one piece of Demucs with the next: its own default."""
_SILENT: Final = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Demucs:
    """A loaded model.

    Args:
        model: Demucs's own object: one network or a bag of them.
        model_name: which one, as Demucs calls it.
        device: ``cuda`` or ``cpu``.
    """

    model: Any
    model_name: str
    device: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Demucs:
        """The model named in ``HITLOOP_DEMUCS_MODEL``, from the folder of weights ``HITLOOP_DEMUCS_FOLDER`` if set.

        Raises:
            UnavailableError: the package or its weights are not there.
        """
        folder = environment.get(FOLDER_VARIABLE)
        return cls.load(environment.get(MODEL_VARIABLE, MODEL), Path(folder) if folder else None)

    @classmethod
    def load(cls, model_name: str = MODEL, folder: Path | None = None) -> Demucs:
        """A model by its name, on the GPU where there is one.

        Raises:
            UnavailableError: the package or its weights are not there.
        """
        pretrained = _module("demucs.pretrained")
        if folder is not None and not folder.is_dir():
            raise UnavailableError(f"{FOLDER_VARIABLE}: there is no folder {folder}.")
        try:
            model = pretrained.get_model(model_name, folder)
        except (Exception, SystemExit) as error:  # its own classes, those of its download, and an exit for a bad name
            raise UnavailableError(
                f"The weights of Demucs's '{model_name}' can't be had ({_one_line(error)}). Fetch them where there is "
                f"a network (demucs -n {model_name} SONG), or name a folder of them in {FOLDER_VARIABLE}."
            ) from error
        _need_stems(model, model_name)
        model.eval()
        return cls(model, model_name, "cuda" if _module("torch").cuda.is_available() else "cpu")

    @property
    def name(self) -> str:
        """For tables and provenance."""
        return f"demucs {self.model_name}"

    def separate(self, mix: Wave) -> Stems:
        """The stems of a stretch. The same stretch gives the same stems: Demucs's random shifts are off."""
        if not len(mix):
            return Stems(mix, mix, mix)
        torch = _module("torch")
        rate = int(self.model.samplerate)
        sound = mix if rate == RATE else soxr.resample(mix, RATE, rate)
        middle, spread = float(sound.mean()), float(sound.std()) + _SILENT
        given = np.repeat(((sound - middle) / spread)[None, None].astype(np.float32), self.model.audio_channels, axis=1)
        with torch.no_grad():
            parts = _module("demucs.apply").apply_model(
                self.model,
                torch.from_numpy(given),
                device=self.device,
                shifts=0,
                split=True,
                overlap=OVERLAP,
                progress=False,
            )[0]
        found = parts.mean(dim=1).cpu().numpy() * spread  # both channels are the same song: mono went in
        return Stems(mix, self._stem(found, "drums", len(mix)), self._stem(found, "bass", len(mix)))

    def _stem(self, found: Any, name: str, length: int) -> Wave:  # noqa: ANN401 - an array of whatever Demucs gave
        stem = found[list(self.model.sources).index(name)]
        rate = int(self.model.samplerate)
        stem = stem if rate == RATE else soxr.resample(stem, rate, RATE)
        return np.pad(stem[:length], (0, max(length - len(stem), 0))).astype(np.float32)


def _module(name: str) -> Any:  # noqa: ANN401 - a module of another package, which may not be there
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UnavailableError(
            f"The separator 'demucs' needs a package that is not installed ({error.name}): pip install demucs"
        ) from error


def _need_stems(model: Any, model_name: str) -> None:  # noqa: ANN401
    missing = {"drums", "bass"} - set(model.sources)
    if missing:
        raise UnavailableError(f"Demucs's '{model_name}' has no stem for {' and '.join(sorted(missing))}.")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
