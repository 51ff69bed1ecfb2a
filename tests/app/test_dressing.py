"""Changes of sound through the desk: ready first, then changed, then cued; refused whole; undone like the rest."""

from __future__ import annotations

import pytest

from hitloopd.app.desk import ControlDesk, Doors
from hitloopd.app.dressing import SOUND_PATIENCE_NS
from hitloopd.app.facts import Facts
from hitloopd.app.wardrobe import Wardrobe
from hitloopd.core.commands import Cue, Listen, LoadKit, MuteLane, NextSample, SetGain, SetTune, Undo
from hitloopd.core.notices import Done, Warned
from hitloopd.core.pattern import Lane
from hitloopd.core.routes import OutputSpec
from hitloopd.core.transport import Position, State, Transport
from hitloopd.io.audio_messages import AudioReady, MakeSound, PlaySound, SetSlotGain, SoundReady, SoundRefused
from hitloopd.ports.surface import Accepted, Rejected
from hitloopd.session.journal import Journal
from hitloopd.session.state import SessionState
from tests.kits import write_pack

LOAD, NEXT, UNDO = "/hitloop/kit/load", "/hitloop/kit/next", "/hitloop/pattern/undo"


class Rig:
    """A desk whose doors are lists, and a library with two packs."""

    def __init__(self, folder, *, audio=True):
        self.now_ns = 10**12
        self.player, self.audio, self.notices, self.replies, self.listens = [], [], [], [], []
        self.library = folder / "library"
        write_pack(self.library / "kits" / "one", {"kick": (100, 110, 120), "bass": (55,)})
        write_pack(self.library / "kits" / "two")
        self.journal = Journal(folder / "state", SessionState(seed=1, kit="house"))
        doors = Doors(
            player=self.player.append,
            generator=lambda _: None,
            audio=self.audio.append if audio else None,
            publish=self.notices.append,
            restart_generator=lambda _: None,
            export=lambda name, state, bpm: name,
            listen=self.listens.append,
            check_model=lambda model, style: None,
            now_ns=lambda: self.now_ns,
        )
        facts = Facts(now_ns=lambda: self.now_ns)
        self.desk = ControlDesk(facts, self.journal, (OutputSpec("out"),), doors, Wardrobe(self.library))

    def submit(self, address, command):
        self.desk.submit(address, command, self.replies.append)

    @property
    def made(self):
        return [message for message in self.audio if isinstance(message, MakeSound)]

    @property
    def cues(self):
        return [envelope for envelope in self.player if isinstance(envelope.command, Cue)]

    @property
    def state(self):
        return self.desk.history.present

    def ready(self, bar=5):
        """The audio process has made the newest sound, and the player has cued the bar."""
        self.desk.on_audio(SoundReady(self.made[-1].number))
        self.done(bar)

    def done(self, bar=5):
        transport = Transport(State.PLAYING, 120.0, Position(1920 * (bar - 1)))
        self.desk.on_done(Done(self.cues[-1].token, bar, transport))


@pytest.fixture
def rig(tmp_path):
    made = Rig(tmp_path)
    yield made
    made.journal.close()


def test_a_kit_is_made_first_then_kept_then_cued_and_only_then_answered(rig):
    rig.submit(LOAD, LoadKit("one"))
    (made,) = rig.made
    assert (made.kit.name, made.folder) == ("one", str(rig.library / "kits" / "one"))
    assert (rig.state.kit, rig.cues, rig.replies) == ("house", [], [])
    rig.desk.on_audio(SoundReady(made.number))
    assert rig.state.kit == "one"
    assert rig.cues[-1].command.score.sound == made.number
    assert rig.replies == []
    rig.done(bar=7)
    assert rig.replies == [Accepted(("one",), 7)]


def test_a_kit_that_cannot_be_made_changes_nothing(rig):
    rig.submit(LOAD, LoadKit("one"))
    rig.desk.on_audio(SoundRefused(rig.made[-1].number, ("lane kick: no.", "lane bass: no.")))
    assert rig.replies == [Rejected("config", "lane kick: no.\nlane bass: no.\nThe sounds stay as they are.")]
    assert rig.state.kit == "house"
    assert rig.cues == []
    assert not rig.desk.history.past
    rig.submit(LOAD, LoadKit("two"))
    rig.ready()
    assert rig.replies[1:] == [Accepted(("two",), 5)]


def test_a_broken_pack_is_refused_before_anything_is_made(rig):
    (rig.library / "kits" / "one" / "kick-2.wav").unlink()
    rig.submit(LOAD, LoadKit("one"))
    assert rig.made == []
    assert rig.replies[0].code == "config"
    assert "kick-2.wav" in rig.replies[0].text


def test_presses_in_a_row_each_get_the_next_one(rig):
    rig.submit(LOAD, LoadKit("one"))
    for _ in range(3):
        rig.submit(NEXT, NextSample(frozenset({Lane.KICK})))
    for _ in range(4):
        rig.ready()
    assert [message.kit.slots[Lane.KICK].sample for message in rig.made] == [
        *("kick-1.wav", "kick-2.wav", "kick-3.wav", "kick-1.wav"),
    ]
    assert [reply.values[1] for reply in rig.replies[1:]] == ["kick-2.wav", "kick-3.wav", "kick-1.wav"]


def test_undo_gives_the_sounds_back_and_waits_its_turn(rig):
    rig.submit(LOAD, LoadKit("one"))
    rig.submit("/hitloop/slot/kick/tune", SetTune(Lane.KICK, -3.0))
    rig.submit(UNDO, Undo())
    rig.submit(UNDO, Undo())
    assert len(rig.made) == 1
    for _ in range(4):
        rig.ready()
    one, tuned, back, house = (message.number for message in rig.made)
    assert one == back
    assert len({one, tuned, house}) == 3
    assert rig.state.kit == "house"
    assert len(rig.replies) == 4


def test_a_new_kit_has_its_own_samples_and_tuning_but_the_mixer_stays(rig):
    for command in (LoadKit("one"), NextSample(frozenset({Lane.KICK})), SetTune(Lane.BASS, 2.0)):
        rig.submit("", command)
        rig.ready()
    rig.submit("", SetGain(Lane.KICK, -6.0))
    rig.submit("", LoadKit("two"))
    rig.ready()
    assert (rig.state.samples, rig.state.tunings, rig.state.gains_db) == ({}, {}, {Lane.KICK: -6.0})


def test_at_once_is_answered_with_the_bar_that_plays(rig):
    rig.submit(LOAD, LoadKit("one", now=True))
    rig.desk.on_audio(SoundReady(rig.made[-1].number))
    assert rig.audio[-1] == PlaySound(rig.made[-1].number)
    assert rig.replies == [Accepted(("one",), 0)]
    assert rig.cues[-1].command.score.sound == rig.made[-1].number


def test_other_changes_are_not_kept_waiting(rig):
    rig.submit(LOAD, LoadKit("one"))
    rig.submit("/hitloop/lane/kick/mute", MuteLane(Lane.KICK, on=True))
    rig.submit("/hitloop/slot/kick/gain", SetGain(Lane.KICK, -6.0))
    assert SetSlotGain(Lane.KICK, -6.0) in rig.audio
    assert rig.state.mutes == {Lane.KICK}
    rig.ready()
    assert (rig.state.kit, rig.state.mutes) == ("one", {Lane.KICK})


def test_an_undo_whose_sounds_are_gone_undoes_the_rest_and_says_so(rig):
    for command in (LoadKit("one"), LoadKit("two")):
        rig.submit(LOAD, command)
        rig.ready()
    rig.submit(UNDO, Undo())
    rig.desk.on_audio(SoundRefused(rig.made[-1].number, ("gone.",)))
    assert rig.state.kit == "one"
    assert [notice.text for notice in rig.notices if isinstance(notice, Warned)] == [
        "gone.\nThe sounds stay as they are."
    ]


def test_a_sound_that_never_comes_is_given_up(rig):
    rig.submit(LOAD, LoadKit("one"))
    rig.submit(LOAD, LoadKit("two"))
    rig.now_ns += SOUND_PATIENCE_NS + 1
    rig.desk.look_after()
    assert [reply.code for reply in rig.replies] == ["audio"]
    assert rig.made[-1].kit.name == "two", "and the next one is asked for"
    rig.desk.on_audio(SoundReady(rig.made[0].number))
    assert rig.state.kit == "house", "an answer that comes too late means nothing"


def test_an_audio_process_that_was_restarted_is_dressed_again(rig):
    rig.submit("", LoadKit("one"))
    rig.ready()
    rig.submit("", SetGain(Lane.KICK, -6.0))
    rig.submit("", LoadKit("two"))
    rig.audio.clear()
    rig.desk.on_audio(AudioReady("card", 48_000, 256, 5.0, "house"))
    assert rig.audio[0] == SetSlotGain(Lane.KICK, -6.0)
    assert [message.kit.name for message in rig.made] == ["one", "two"]
    rig.audio.clear()
    rig.desk.on_audio(AudioReady("card", 48_000, 256, 5.0, "one"))
    assert [message.kit.name for message in rig.made] == ["two"], "what it begins with need not be made"


def test_a_kit_file_that_changed_is_taken_over_at_a_bar_line_and_a_broken_one_is_not(rig):
    rig.submit("", LoadKit("one"))
    rig.ready()
    write_pack(rig.library / "kits" / "one", {"kick": (70,)})
    rig.desk.reread_kit(rig.replies.append)
    assert list(rig.made[-1].kit.slots) == [Lane.KICK]
    rig.ready()
    assert rig.cues[-1].command.score.sound == rig.made[-1].number
    assert len(rig.desk.history.past) == 1, "nothing that undo would take back"
    (rig.library / "kits" / "one" / "pack.yaml").write_text("samples: 3")
    rig.desk.reread_kit(rig.replies.append)
    assert rig.replies[-1].code == "config"
    assert len(rig.made) == 2


def test_without_an_audio_process_nothing_has_to_be_made(tmp_path):
    rig = Rig(tmp_path, audio=False)
    rig.submit(LOAD, LoadKit("one"))
    rig.done()
    assert rig.replies == [Accepted(("one",), 5)]
    rig.journal.close()


def test_listening_is_handed_on_and_answered_at_once(rig):
    rig.submit("/hitloop/kit/listen", Listen(5.0))
    assert rig.listens == [Listen(5.0)]
    assert rig.replies == [Accepted(("idle", 0.0, ""), 0)]
