"""More one-shots to learn from: drums and basses of a General MIDI sound font, and this project's own synthesised kits.

A sound font has more kits than a folder of samples; FluidR3 GM (MIT licence) is what the shipped listener was taught
with. Needs the program ``fluidsynth``. Nothing of it is stored: the sounds are rendered when they are needed.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import mido
import numpy as np
import soundfile

from hitloopd.core.errors import UnavailableError
from hitloopd.io.synth.recipes import RECIPES, Bass
from hitloopd.io.synth.voices import render
from offline.audio import RATE, SILENCE, Wave
from offline.extraction.classes import Reference

FONT_KIT: Final = "fluidr3"
OWN_KIT: Final = "hitloopd"
DRUM_KITS: Final = (0, 8, 16, 24, 25, 32, 40)
"""Programs of the drum channel: standard, room, power, electronic, 808, jazz, brush."""
DRUMS: Final[Mapping[str, Sequence[int]]] = {
    "kick": (35, 36),
    "snare": (38, 40),
    "rim": (37,),
    "clap": (39,),
    "closed_hat": (42, 44),
    "open_hat": (46,),
    "tom": (41, 43, 45, 47, 48, 50),
    "cymbal": (49, 51, 52, 55, 57, 59),
    "perc": (54, 56, 60, 61, 62, 63, 64, 65, 67, 70, 75, 76),
}
BASSES: Final = tuple(range(32, 40))
BASS_NOTES: Final = (28, 33, 38, 43, 48)
BASS_ROOTS: Final = (31, 36, 41)
VELOCITIES: Final = (70, 120)
SLOT_S: Final = 2.5
HOLD_S: Final = 0.6
_RHYTHM_CHANNEL: Final = 9


def font_sounds(font: Path) -> list[Reference]:
    """Drums and basses of a sound font, without its reverb; silent and repeated ones are left out.

    Raises:
        UnavailableError: fluidsynth is not installed, or the font is not there.
    """
    plan = list(_plan())
    whole = played(_song(plan), font, gain=0.7)
    found: list[Reference] = []
    seen: set[bytes] = set()
    for number, (kind, channel, preset, note, velocity) in enumerate(plan):
        first = round((number * SLOT_S) * RATE)
        one = whole[first : first + round(SLOT_S * RATE)].astype(np.float32)
        print_of_it = np.round(one[:4000] / max(float(np.abs(one).max()), 1e-9), 2).tobytes() if len(one) else b""
        if not len(one) or float(np.abs(one).max()) < 10 * SILENCE or print_of_it in seen:
            continue
        seen.add(print_of_it)
        name = f"{kind}/{FONT_KIT}_{channel}_{preset}_{note}_{velocity}"
        found.append(Reference(name, kind, font, one))
    return found


def played(song: mido.MidiFile, font: Path, *, gain: float = 0.5) -> Wave:
    """A MIDI song as the sound font plays it, mono and without effects.

    Raises:
        UnavailableError: fluidsynth is not installed, or the font is not there.
    """
    program = shutil.which("fluidsynth")
    if program is None or not font.is_file():
        raise UnavailableError(f"{font} can't be rendered: install fluidsynth and a General MIDI sound font.")
    with tempfile.TemporaryDirectory() as folder:
        midi, sound = Path(folder, "all.mid"), Path(folder, "all.wav")
        song.save(midi)
        words = [program, "-ni", "-g", str(gain), "-R", "0", "-C", "0", "-r", str(RATE)]
        words += ["-o", "synth.dynamic-sample-loading=1", "-F", str(sound), str(font), str(midi)]
        subprocess.run(words, check=True, capture_output=True)  # noqa: S603 - our own words, no shell
        return soundfile.read(str(sound), dtype="float32", always_2d=True)[0].mean(axis=1)


def _plan() -> Iterator[tuple[str, int, int, int, int]]:
    """Class, channel, program, note, velocity."""
    for preset in DRUM_KITS:
        for kind, notes in DRUMS.items():
            yield from ((kind, _RHYTHM_CHANNEL, preset, note, velocity) for note in notes for velocity in VELOCITIES)
    for preset in BASSES:
        yield from (("bass", 0, preset, note, velocity) for note in BASS_NOTES for velocity in VELOCITIES)


def _song(plan: Sequence[tuple[str, int, int, int, int]]) -> mido.MidiFile:
    song = mido.MidiFile(ticks_per_beat=500)  # 120 BPM: a tick is a millisecond
    track = mido.MidiTrack()
    song.tracks.append(track)
    hold, rest = round(HOLD_S * 1000), round((SLOT_S - HOLD_S) * 1000)
    wait = 0
    for _, channel, preset, note, velocity in plan:
        track.append(mido.Message("program_change", channel=channel, program=preset, time=wait))
        track.append(mido.Message("note_on", channel=channel, note=note, velocity=velocity))
        track.append(mido.Message("note_off", channel=channel, note=note, time=hold))
        wait = rest
    track.append(mido.MetaMessage("end_of_track", time=wait))
    return song


def own_sounds() -> list[Reference]:
    """The daemon's synthesised kits; synthesised once in a process, so nobody may write into their sounds."""
    return list(_own_sounds())


@functools.cache
def _own_sounds() -> tuple[Reference, ...]:
    found: list[Reference] = []
    for name, recipe in RECIPES.items():
        kind = _OWN_CLASSES.get(name.split("/")[1])
        if kind is None:
            continue
        for pitch in BASS_ROOTS if isinstance(recipe, Bass) else BASS_ROOTS[:1]:
            sound: Wave = np.asarray(render(recipe, RATE, pitch), np.float32)
            sound.flags.writeable = False
            found.append(Reference(f"{kind}/{OWN_KIT}_{name.replace('/', '-')}-{pitch}", kind, Path(name), sound))
    return tuple(found)


_OWN_CLASSES: Final[Mapping[str, str]] = {"kick": "kick", "snare": "snare", "hihat": "closed_hat", "bass": "bass"}
# the kits' cymbal lane holds open hats in some styles and crashes in others: nothing to learn a class from
