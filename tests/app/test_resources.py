from __future__ import annotations

from pathlib import Path

import pytest

from hitloopd.app.resources import UserDirs, find, shipped, user_dirs
from hitloopd.core.errors import UnknownNameError


def test_shipped_things_are_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert {"default", "ableton", "hardware", "touchdesigner", "jack"} <= set(shipped("config"))
    assert find("config", "jack").name == "jack.yaml"
    assert "house" in shipped("kit")


def test_the_library_wins_and_a_path_is_itself(tmp_path: Path) -> None:
    own = tmp_path / "kits" / "house.yaml"
    own.parent.mkdir()
    own.write_text("")
    assert find("kit", "house", tmp_path) == own
    assert find("kit", str(own)) == own


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UnknownNameError, match=r"there are: ableton.*Did you mean 'jack'"):
        find("config", "jac")


@pytest.mark.parametrize(
    ("platform", "env", "dirs"),
    [
        ("linux", {"HOME": "/h"}, ("/h/.local/state/hitloopd", "/h/.cache/hitloopd", "/h/.local/share/hitloopd")),
        (
            "linux",
            {"HOME": "/h", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "relative"},
            ("/s/hitloopd", "/h/.cache/hitloopd", "/h/.local/share/hitloopd"),
        ),
        (
            "darwin",
            {"HOME": "/h"},
            (
                "/h/Library/Application Support/hitloopd/state",
                "/h/Library/Caches/hitloopd",
                "/h/Library/Application Support/hitloopd/library",
            ),
        ),
        (
            "win32",
            {"USERPROFILE": "/u", "LOCALAPPDATA": "/u/l"},
            ("/u/l/hitloopd/state", "/u/l/hitloopd/cache", "/u/l/hitloopd/library"),
        ),
    ],
)
def test_user_folders_follow_the_system(platform: str, env: dict[str, str], dirs: tuple[str, str, str]) -> None:
    assert user_dirs(env, platform) == UserDirs(*(Path(text) for text in dirs))
