"""A bar as a .mid file in the user's library."""

from __future__ import annotations

from pathlib import Path

from hitloopd.app.effects import score_of
from hitloopd.app.settings import Settings
from hitloopd.core.errors import DeviceError
from hitloopd.core.routes import preset
from hitloopd.generate.midifile import write_midi
from hitloopd.session.state import SessionState


def export(settings: Settings, name: str, state: SessionState, bpm: float) -> str:
    """Write the present bar, and say where it is.

    Raises:
        DeviceError: the folder can't be made; the message names it.
    """
    folder = settings.paths.library / "exports"
    path = folder / Path(name).name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"{folder} can't be made: {error.strerror}. Choose another paths.library.") from error
    # the score, not the pattern: what is dragged into a DAW grooves as it was heard
    write_midi(path, [score_of(state)], bpm=bpm, routes=preset(settings.midi.map))
    return str(path)
