"""The experiment is the commands that a person would type, in order, and goes on where it stopped."""

from __future__ import annotations

from offline.transcription import worth


def test_both_data_sets_are_built_trained_on_and_judged(tmp_path, monkeypatch):
    done: list[list[str]] = []
    monkeypatch.setattr(worth, "command", lambda words: done.append(words) or 0)
    given = ["--midi", "m1", "m2", "--audio", "songs", "--out", str(tmp_path), "--epochs", "3", "--seeds", "2"]
    assert worth.main(given) == 0
    assert [words[0] for words in done] == ["dataset"] * 2 + ["train", "export"] * 2 + ["evaluate"] * 2
    notes, both = str(tmp_path / "notes"), str(tmp_path / "both")
    assert done[0] == ["dataset", "build", "m1", "m2", "--out", notes]
    assert done[1] == ["dataset", "build", "m1", "m2", "--audio", "songs", "--out", both]
    assert [words[words.index("--data") + 1] for words in done[2:]] == [notes] * 2 + [both] * 2 + [notes, both]
    assert all(words[-2:] == ["--epochs", "3"] for words in done if words[0] == "train")
    assert all(words[words.index("--seeds") + 1] == "2" for words in done if words[0] == "evaluate")


def test_what_is_trained_is_not_trained_again_and_a_failure_ends_it(tmp_path, monkeypatch):
    done: list[list[str]] = []
    (tmp_path / "models" / "of-notes").mkdir(parents=True)
    (tmp_path / "models" / "of-notes" / "CARD.md").touch()
    (tmp_path / "run-both").mkdir()
    (tmp_path / "run-both" / "last.pt").touch()

    def failing(words):
        done.append(words)
        return 130 if words[0] == "train" else 0

    monkeypatch.setattr(worth, "command", failing)
    assert worth.main(["--midi", "m", "--audio", "s", "--out", str(tmp_path)]) == 130
    assert [words[0] for words in done] == ["dataset", "dataset", "train"]
    assert "--resume" in done[-1]
    assert str(tmp_path / "run-both") in done[-1]
