"""What the lanes sound like: names, paths, choices, and what may not be reached."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from hitloopd.app.slot_values import SOUND_LOOKS
from hitloopd.app.wardrobe import Wardrobe
from hitloopd.core.commands import LoadKit, NextSample, SetSample
from hitloopd.core.errors import ConfigError, HitloopError, NothingToDoError, RangeError, UnknownNameError
from hitloopd.core.pattern import LANES, Lane
from hitloopd.session.reduce import reduce
from hitloopd.session.state import SessionState
from tests.kits import write_pack

STATE = SessionState(kit="tram")


@pytest.fixture
def library(tmp_path):
    library = tmp_path / "library"
    write_pack(library / "kits" / "tram", {"kick": (100, 110, 120), "snare": (300,), "bass": (55, 60)})
    (library / "samples").mkdir()
    shutil.copy(library / "kits" / "tram" / "snare-1.wav", library / "samples" / "mine.wav")
    write_pack(tmp_path / "elsewhere")
    return library


@pytest.fixture
def wardrobe(library):
    return Wardrobe(library)


def value(wardrobe, template, state=STATE, lane=None):
    return SOUND_LOOKS[template](wardrobe, state, lane)


def test_kits_of_the_library_are_listed_with_those_that_ship(wardrobe):
    assert {"tram", "house", "techno"} <= set(wardrobe.names())
    assert value(wardrobe, "/kit/list") == wardrobe.names()


@pytest.mark.parametrize("name", ["tram", "kits/tram", "kits/tram/pack.yaml"])
def test_a_kit_is_loaded_by_name_or_by_a_path_in_the_library(wardrobe, library, name):
    kept = wardrobe.checked(LoadKit(name)).name
    assert kept in ("tram", str(library / name))
    assert wardrobe.kit(kept).kit.name == "tram"


@pytest.mark.parametrize(
    "name", ["{elsewhere}", "../elsewhere", "kits/../../elsewhere", "/etc/passwd", "link", "~/x.yaml", "a\0b", "/" * 99]
)
def test_rule_38_a_kit_outside_the_library_is_refused(wardrobe, library, tmp_path, name):
    (library / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises((RangeError, UnknownNameError)) as caught:
        wardrobe.checked(LoadKit(name.format(elsewhere=tmp_path / "elsewhere")))
    assert "expected 1" not in str(caught.value), "nothing of the file was read"


def test_the_config_may_name_any_path(wardrobe, tmp_path):
    path = str(tmp_path / "elsewhere")
    assert wardrobe.checked(LoadKit(path, anywhere=True)).name == path
    assert wardrobe.kit(path).kit.name == "elsewhere"


def test_a_broken_pack_is_refused_and_a_name_is_guessed(wardrobe, library):
    (library / "kits" / "tram" / "bass-2.wav").unlink()
    with pytest.raises(ConfigError, match=r"bass-2\.wav"):
        wardrobe.checked(LoadKit("tram"))
    with pytest.raises(UnknownNameError, match="Did you mean 'techno'"):
        wardrobe.checked(LoadKit("tecno"))


def test_another_sample_goes_round_and_tells_what_it_is(wardrobe):
    state = STATE
    seen = []
    for _ in range(4):
        command = wardrobe.another(state, NextSample(frozenset({Lane.KICK})))
        state = replace(state, samples={**state.samples, **command.samples})
        seen.append(state.samples[Lane.KICK])
    assert seen == ["kick-2.wav", "kick-3.wav", "kick-1.wav", "kick-2.wav"]
    assert value(wardrobe, "/slot/<lane>/sample", state, Lane.KICK) == (
        *("kick-2.wav", "tram.wav", 12.5, "kick/kick.wav", 0.35, "Ada", "CC BY 4.0"),
    )
    everywhere = wardrobe.another(STATE, NextSample(now=True))
    assert everywhere == SetSample({Lane.KICK: "kick-2.wav", Lane.BASS: "bass-2.wav"}, now=True)
    assert value(wardrobe, "/kit/next", state) == ("kick", "kick-2.wav", "snare", "snare-1.wav", "bass", "bass-1.wav")
    with pytest.raises(NothingToDoError, match="no other sample for snare"):
        wardrobe.another(STATE, NextSample(frozenset({Lane.SNARE})))


@pytest.mark.parametrize(
    ("name", "kept"),
    [("kick-3.wav", "kick-3.wav"), ("synth:dnb/kick", "synth:dnb/kick"), ("", ""), ("samples/mine.wav",) * 2],
)
def test_a_sample_is_the_kits_a_built_in_one_or_the_librarys(wardrobe, library, name, kept):
    command = wardrobe.checked_samples(STATE, SetSample({Lane.KICK: name}))
    assert command.samples == {Lane.KICK: kept}
    state = replace(STATE, samples={lane: text for lane, text in command.samples.items() if text})
    outfit = wardrobe.outfit(state)
    expected = {"samples/mine.wav": str(library.resolve() / "samples" / "mine.wav"), "": "kick-1.wav"}
    assert outfit.kit.slots[Lane.KICK].sample == expected.get(kept, kept)


@pytest.mark.parametrize(
    ("lane", "name", "error"),
    [
        (Lane.KICK, "../x.wav", RangeError),
        (Lane.KICK, "/etc/passwd", RangeError),
        (Lane.KICK, "kick-9.wav", UnknownNameError),
        (Lane.KICK, "synth:house/bass", UnknownNameError),
        (Lane.BASS, "synth:house/kick", UnknownNameError),
        (Lane.KICK, "samples", UnknownNameError),
    ],
)
def test_a_sample_that_may_not_be_is_refused(wardrobe, lane, name, error):
    with pytest.raises(error):
        wardrobe.checked_samples(STATE, SetSample({lane: name}))


def test_the_same_sounds_have_the_same_number_and_others_another(wardrobe, library):
    def number(**changes) -> int:
        return wardrobe.outfit(replace(STATE, **changes)).number

    assert number() == number() == Wardrobe(library).outfit(STATE).number != 0
    assert number() == number(gains_db={Lane.KICK: -6.0}, pans={Lane.KICK: 1.0}, chokes={Lane.KICK: "x"})
    different = {
        number(),
        number(kit="house"),
        number(samples={Lane.KICK: "kick-2.wav"}),
        number(tunings={Lane.KICK: 1.0}),
    }
    assert len(different) == 4
    before = number()
    os.utime(library / "kits" / "tram" / "pack.yaml", ns=(1, 1))
    assert number() == before, "as it was read"
    wardrobe.refresh("tram")
    assert number() != before


def test_slots_are_the_kits_until_the_user_says_otherwise(wardrobe):
    house = replace(STATE, kit="house")
    assert value(wardrobe, "/slot/<lane>/gain", house, Lane.HIHAT) == (3.0,)
    assert value(wardrobe, "/slot/<lane>/pan", house, Lane.HIHAT) == (0.12,)
    assert value(wardrobe, "/slot/<lane>/choke", house, Lane.HIHAT) == ("hats",)
    assert value(wardrobe, "/slot/<lane>/sample", house, Lane.KICK)[-2:] == ("hitloopd", "MIT")
    changed = replace(house, gains_db={Lane.HIHAT: -1.0}, chokes={Lane.HIHAT: ""}, tunings={Lane.HIHAT: 2.0})
    assert value(wardrobe, "/slot/<lane>/gain", changed, Lane.HIHAT) == (-1.0,)
    assert value(wardrobe, "/slot/<lane>/choke", changed, Lane.HIHAT) == ("",)
    assert value(wardrobe, "/slot/<lane>/tune", changed, Lane.HIHAT) == (2.0,)


def test_a_lane_that_the_pack_lacks_can_be_given_a_sample(wardrobe):
    assert value(wardrobe, "/slot/<lane>/sample", STATE, Lane.HIHAT)[0] == ""
    state = replace(STATE, samples={Lane.HIHAT: "synth:house/hihat"})
    assert wardrobe.outfit(state).kit.slots[Lane.HIHAT].choke == "hats"


def test_a_choice_that_went_away_gives_way_to_the_kits_own(wardrobe, library):
    state = replace(STATE, samples={Lane.KICK: "samples/mine.wav", Lane.SNARE: "snare-9.wav"})
    assert value(wardrobe, "/kit/next", state)[:4] == ("kick", "samples/mine.wav", "snare", "snare-1.wav")
    (library / "samples" / "mine.wav").unlink()
    assert value(wardrobe, "/kit/next", state)[:4] == ("kick", "kick-1.wav", "snare", "snare-1.wav")
    assert wardrobe.outfit(state).number == wardrobe.outfit(STATE).number


def test_lanes_that_a_new_kit_lacks_keep_a_built_in_sound(wardrobe):
    techno = replace(STATE, kit="techno")
    assert wardrobe.fill(techno, "tram") == {Lane.HIHAT: "synth:techno/hihat", Lane.CYMBAL: "synth:techno/cymbal"}
    loaded = reduce(techno, LoadKit("tram", fill=wardrobe.fill(STATE, "tram")))
    assert loaded.samples == {Lane.HIHAT: "synth:house/hihat", Lane.CYMBAL: "synth:house/cymbal"}
    assert set(wardrobe.outfit(loaded).kit.slots) == set(LANES)
    assert wardrobe.fill(STATE, "house") == {}


def test_a_kit_that_went_away_can_still_be_looked_at(wardrobe):
    gone = replace(STATE, kit="gone")
    assert value(wardrobe, "/slot/<lane>/gain", gone, Lane.KICK) == (0.0,)
    with pytest.raises(HitloopError):
        wardrobe.outfit(gone)
