"""Instead of pictures, which take longer than all the rest of a small data set or a short song."""

from __future__ import annotations

from pathlib import Path

from offline.jobs import write_atomically

WHO_DRAW = ("dataset.report.draw_bars", "dataset.report.draw_heat", "transcription.song.draw_picture")


def leave_out_pictures(patch) -> None:
    """For tests that look at none."""
    for name in WHO_DRAW:
        patch.setattr(f"offline.{name}", no_picture)


def no_picture(path: Path, *_told: object) -> None:
    write_atomically(path, b"no picture")
