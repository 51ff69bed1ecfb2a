"""Sample packs as kits: taken whole, or refused whole with every reason."""

from __future__ import annotations

import shutil

import pytest
import yaml

from hitloopd.core.errors import ConfigError, UnknownNameError
from hitloopd.core.pattern import LANES, Lane
from hitloopd.io.kits import find_kit, list_kits, load_kit
from hitloopd.io.packs import MAX_BYTES, parse_pack
from tests.io.audio_helpers import KITS
from tests.kits import write_pack


def changed(folder, change) -> list[str]:
    """The problems of a pack whose file was changed."""
    data = yaml.safe_load((folder / "pack.yaml").read_text())
    change(data)
    with pytest.raises(ConfigError) as caught:
        parse_pack(yaml.safe_dump(data), folder / "pack.yaml")
    return [problem.partition("pack.yaml: ")[2] for problem in caught.value.problems]


def test_the_first_sample_of_a_lane_plays_and_the_others_wait(tmp_path):
    write_pack(tmp_path / "tram", {"kick": (100, 110, 120), "bass": (55,), "hihat": (900,)})
    loaded = load_kit("tram", [tmp_path])
    kit = loaded.kit
    assert kit.name == "tram"
    assert loaded.folder == tmp_path / "tram"
    assert {lane: slot.sample for lane, slot in kit.slots.items()} == {
        Lane.KICK: "kick-1.wav",
        Lane.HIHAT: "hihat-1.wav",
        Lane.BASS: "bass-1.wav",
    }
    assert [sample.name for sample in kit.samples_of(Lane.KICK)] == ["kick-1.wav", "kick-2.wav", "kick-3.wav"]
    assert kit.samples_of(Lane.SNARE) == ()
    assert (kit.slots[Lane.HIHAT].choke, kit.slots[Lane.BASS].choke) == ("hats", "bass")


def test_a_sample_knows_where_it_is_from(tmp_path):
    write_pack(tmp_path / "tram")
    sample = load_kit("tram", [tmp_path]).kit.samples_of(Lane.SNARE)[0]
    assert (sample.recording, sample.start_s, sample.reference) == ("tram.wav", 12.5, "snare/snare.wav")
    assert sample.distance == pytest.approx(0.35)
    assert (sample.author, sample.licence, sample.origin) == ("Ada", "CC BY 4.0", "example.org/tram")
    assert sample.fundamental_hz == 0.0, "null says that there is none"
    assert load_kit("tram", [tmp_path]).kit.samples_of(Lane.BASS)[0].fundamental_hz == 65.41


def test_packs_and_kit_files_are_found_alike(tmp_path):
    write_pack(tmp_path / "tram")
    shutil.copy(KITS / "house.yaml", tmp_path / "mine.yaml")
    (tmp_path / "no-kit").mkdir()
    assert list_kits([tmp_path]) == ("mine", "tram")
    for name in ("tram", str(tmp_path / "tram"), str(tmp_path / "tram" / "pack.yaml")):
        assert find_kit(name, [tmp_path]) == tmp_path / "tram" / "pack.yaml"
    with pytest.raises(UnknownNameError, match="no sample pack"):
        find_kit(str(tmp_path / "no-kit"), [])
    with pytest.raises(UnknownNameError, match=r"there are mine, tram.*Did you mean 'tram'"):
        find_kit("trma", [tmp_path])


def test_every_reason_is_told_at_once(tmp_path):
    folder = write_pack(tmp_path / "tram", {"kick": (100,) * 9})

    def spoil(data):
        data["format"] = 2
        rows = data["samples"]
        rows[0]["lane"] = "kik"
        rows[1]["file"] = "../kick-1.wav"
        rows[2]["file"] = "/etc/passwd"
        rows[3]["file"] = "gone.wav"
        rows[4]["start_s"] = float("nan")
        rows[5]["distances"] = {"mel": "far"}
        rows[6]["author"] = ["Ada"]
        rows[7] = "kick-8.wav"
        rows[8]["fundamental_hz"] = -3

    assert changed(folder, spoil) == [
        "format: expected 1, got 2",
        "samples[0].lane: expected one of kick, snare, hihat, cymbal, bass, got 'kik'. Did you mean 'kick'?",
        "samples[1].file: '../kick-1.wav' leaves the pack's folder",
        "samples[2].file: '/etc/passwd' leaves the pack's folder",
        "samples[4].start_s: expected a number of 0 or more, got nan",
        "samples[5].distances.mel: expected a number of 0 or more, got 'far'",
        "samples[6].author: expected text, got ['Ada']",
        "samples[7]: expected a mapping with file and lane",
        "samples[8].fundamental_hz: expected a number of 0 or more, got -3",
        "samples: these files are not there: gone.wav",
    ]


def test_a_file_that_is_no_sound_is_found_without_an_audio_device(tmp_path):
    write_pack(tmp_path / "tram")
    (tmp_path / "tram" / "snare-1.wav").write_text("no sound")
    (tmp_path / "tram" / "bass-1.wav").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"hold no sound that can be read: snare-1\.wav, bass-1\.wav"):
        parse_pack((tmp_path / "tram" / "pack.yaml").read_text(), tmp_path / "tram" / "pack.yaml")


def test_a_link_out_of_the_pack_is_refused(tmp_path):
    folder = write_pack(tmp_path / "tram")
    outside = tmp_path / "secret.wav"
    shutil.copy(folder / "kick-1.wav", outside)
    (folder / "kick-1.wav").unlink()
    (folder / "kick-1.wav").symlink_to(outside)
    with pytest.raises(ConfigError, match="leaves the pack's folder"):
        load_kit(str(folder), [])


@pytest.mark.parametrize("text", ["", "[1]", "format: 1", "format: 1\nsamples: []", "format: [", "samples: 3", "\x00"])
def test_what_is_no_pack_is_a_config_error(tmp_path, text):
    with pytest.raises(ConfigError):
        parse_pack(text, tmp_path / "pack.yaml")


def test_a_pack_that_is_far_too_long_is_not_read(tmp_path):
    with pytest.raises(ConfigError, match="at most"):
        parse_pack("a" * (MAX_BYTES + 1), tmp_path / "pack.yaml")


def test_what_stands_after_thousands_of_candidates_is_read_too(tmp_path):
    folder = write_pack(tmp_path / "tram")
    data = yaml.safe_load((folder / "pack.yaml").read_text())
    samples = data.pop("samples")
    data["candidates"] *= 1000
    text = yaml.safe_dump({**data, "samples": samples}, sort_keys=False)
    assert text.index("candidates") < text.index("samples")
    kit = parse_pack(text, folder / "pack.yaml")
    assert set(kit.slots) == set(LANES)
