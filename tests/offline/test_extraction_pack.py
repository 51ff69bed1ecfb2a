"""The pack's file: what is written is read back, and what is wrong is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from hitloopd.core.errors import ConfigError, DeviceError
from offline.extraction.pack import Pack, Row, load_pack, save_pack

ROW = Row("kick", "tram.wav", 1.5, 0.25, 0.9, "kick/a.wav", {"mel": 0.1, "contrast": 0.2, "bandwidth": 0.3})
SAMPLE = replace(ROW, file="kick-1.wav", sha256="00", rate=44_100, loudness_lufs=-12.0, gain_db=3.0, kind="kick")


def _write(folder, pack=None):
    (folder / "kick-1.wav").write_bytes(b"")
    save_pack(folder, pack or Pack("tram", (SAMPLE,), (ROW,), "two words", {"coverage": "kick 1", "seed": 3}))


def test_what_is_written_is_read_back(tmp_path):
    _write(tmp_path)
    pack = load_pack(tmp_path)
    assert pack == Pack("tram", (SAMPLE,), (ROW,), "two words", {"coverage": "kick 1", "seed": 3})
    assert pack.of_lane("kick") == (SAMPLE,)
    assert pack.of_lane("bass") == ()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("file", "../kick.wav", "leaves the pack"),
        ("file", "/etc/passwd", "leaves the pack"),
        ("file", "gone.wav", "not there"),
        ("file", None, "needs a file"),
        ("lane", "cowbell", "none of kick"),
        ("start_s", -1, "0 or more"),
        ("length_s", float("nan"), "0 or more"),
    ],
)
def test_mistakes_are_told(tmp_path, key, value, words):
    _write(tmp_path)
    data = yaml.safe_load((tmp_path / "pack.yaml").read_text())
    data["samples"][0][key] = value
    (tmp_path / "pack.yaml").write_text(yaml.safe_dump(data))
    with pytest.raises(ConfigError, match=words):
        load_pack(tmp_path)


def test_no_pack_and_another_format(tmp_path):
    with pytest.raises(DeviceError, match="no pack"):
        load_pack(tmp_path)
    (tmp_path / "pack.yaml").write_text("format: 7\n")
    with pytest.raises(ConfigError, match="format: 1"):
        load_pack(tmp_path)
