"""Separators: by name, same length, drums and bass mostly where they belong; Demucs by a stand-in for its package."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from hitloopd.core.errors import UnavailableError, UnknownNameError
from offline.audio import Wave
from offline.transcription.separation.by_name import SEPARATORS, given_stems, separator
from offline.transcription.separation.demucs import Demucs
from offline.transcription.separation.spectral import Spectral
from tests.offline.transcription_sounds import kick, laid, noise_hit, tone

LENGTH_S = 4.0
BASS = laid([(n * 0.5, tone(33 + n % 4, 0.45)) for n in range(8)], LENGTH_S)
DRUMS = laid([(n * 0.5 + 0.25, kick() if n % 2 else noise_hit(n)) for n in range(8)], LENGTH_S)
MIX: Wave = BASS + DRUMS


def gain_db(wanted: Wave, mix: Wave, found: Wave) -> float:
    """How much nearer to the truth the stem is than the mix."""
    return float(10 * np.log10(((mix - wanted) ** 2).sum() / ((found - wanted) ** 2).sum()))


def test_nothing_is_done_without_a_separator() -> None:
    stems = separator("none").separate(MIX)
    assert stems.drums is MIX
    assert stems.bass is MIX


def test_auto_is_one_of_the_table() -> None:
    assert separator().name in SEPARATORS


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'spectral'"):
        separator("spectrum")


def test_spectral_brings_both_stems_nearer_to_the_truth() -> None:
    stems = Spectral().separate(MIX)
    assert gain_db(DRUMS, MIX, stems.drums) > 3
    assert gain_db(BASS, MIX, stems.bass) > 3


def test_spectral_gives_the_same_stems_again_as_long_as_the_mix() -> None:
    odd = MIX[:-777]
    one, other = Spectral().separate(odd), Spectral().separate(odd)
    assert len(one.drums) == len(one.bass) == len(odd)
    assert one.drums.dtype == one.bass.dtype == np.float32
    np.testing.assert_array_equal(one.bass, other.bass)
    np.testing.assert_array_equal(one.drums, other.drums)


@pytest.mark.parametrize("length", [0, 1, 500])
def test_spectral_takes_what_is_shorter_than_its_windows(length: int) -> None:
    stems = Spectral().separate(MIX[:length])
    assert len(stems.drums) == len(stems.bass) == length


def test_given_stems_are_taken_as_they_are_and_as_long_as_the_mix() -> None:
    stems = given_stems(MIX, drums=DRUMS[:1000])
    assert stems.bass is MIX
    np.testing.assert_array_equal(stems.drums[:1000], DRUMS[:1000])
    assert len(stems.drums) == len(MIX)
    assert not stems.drums[1000:].any()
    np.testing.assert_array_equal(given_stems(MIX[:1000], bass=BASS).bass, BASS[:1000])


class OneNet:
    """What Demucs's models have in common; its stems are shares of what it is given."""

    sources = ("drums", "bass", "other", "vocals")
    audio_channels = 2

    def __init__(self, samplerate: int = 44_100) -> None:
        self.samplerate = samplerate

    def eval(self) -> OneNet:
        return self


def pretend_demucs(monkeypatch: pytest.MonkeyPatch, net: object) -> list[dict[str, object]]:
    """Put a stand-in for the package where imports find it; gives what ``apply_model`` was asked."""
    asked: list[dict[str, object]] = []

    def get_model(name: str, repo: object = None) -> object:
        if isinstance(net, BaseException):
            raise net
        return net

    def apply_model(model: OneNet, mix: torch.Tensor, **options: object) -> torch.Tensor:
        asked.append({"shape": tuple(mix.shape), "std": float(mix.std()), **options})
        shares = torch.tensor([0.5, 0.25, 0.125, 0.125])
        return shares[None, :, None, None] * mix[:, None]

    package, pretrained, apply = ModuleType("demucs"), ModuleType("demucs.pretrained"), ModuleType("demucs.apply")
    pretrained.get_model = get_model  # type: ignore[attr-defined]
    apply.apply_model = apply_model  # type: ignore[attr-defined]
    for module in (package, pretrained, apply):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return asked


@pytest.mark.parametrize("rate", [44_100, 22_050])
def test_demucs_is_given_normal_stereo_and_its_stems_come_back_mono(monkeypatch: pytest.MonkeyPatch, rate: int) -> None:
    asked = pretend_demucs(monkeypatch, OneNet(rate))
    stems = separator("demucs").separate(MIX)
    assert asked[0]["shape"] == (1, 2, round(len(MIX) * rate / 44_100))
    assert asked[0]["std"] == pytest.approx(1.0, abs=0.01)
    assert asked[0]["shifts"] == 0  # a shift is drawn at random: the same song would give other notes
    assert len(stems.drums) == len(stems.bass) == len(MIX)
    if rate == 44_100:
        np.testing.assert_allclose(stems.drums, 0.5 * (MIX - MIX.mean()), atol=1e-5)
        np.testing.assert_allclose(stems.bass, 0.25 * (MIX - MIX.mean()), atol=1e-5)


def test_demucs_not_installed_is_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "demucs", None)
    monkeypatch.delitem(sys.modules, "demucs.pretrained", raising=False)
    with pytest.raises(UnavailableError, match="pip install demucs") as told:
        separator("demucs")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("failure", [OSError("no route\nto host"), SystemExit(1), RuntimeError("bad checksum")])
def test_weights_that_cannot_be_had_are_one_line(monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    pretend_demucs(monkeypatch, failure)
    with pytest.raises(UnavailableError, match="weights of Demucs") as told:
        Demucs.load("htdemucs")
    assert "\n" not in str(told.value)


def test_a_model_without_a_bass_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_demucs(monkeypatch, SimpleNamespace(sources=["drums", "vocals"]))
    with pytest.raises(UnavailableError, match="no stem for bass"):
        Demucs.load("duo")


def test_a_folder_of_weights_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_demucs(monkeypatch, OneNet())
    with pytest.raises(UnavailableError, match="there is no folder"):
        Demucs.from_environment({"HITLOOP_DEMUCS_FOLDER": "/nowhere/at/all"})
