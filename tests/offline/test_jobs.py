"""Long work: in order, once, and going on after anything."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from hitloopd.core.errors import RangeError, UnavailableError
from offline.jobs import Job, Refused, file_hash, job_key, run_jobs, write_atomically
from tests.offline.cluster import dask_cluster


def double(number: int) -> int:
    if number == 13:
        raise RangeError("thirteen is not played")
    if number == 14:
        raise ZeroDivisionError("over\n  two lines")
    return 2 * number


def double_and_note(number: int, folder: str) -> int:
    (Path(folder) / f"{number}.{os.getpid()}").touch()
    return 2 * number


def die(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def jobs(*numbers: int, **more: object) -> list[Job]:
    return [Job(job_key("double", number), (number, *more.values())) for number in numbers]


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_jobs(tmp_path, workers):
    numbers = [5, 3, 9, 1]
    assert [result for _, result in run_jobs(double, jobs(*numbers), tmp_path, workers=workers, quiet=True)] == [
        10,
        6,
        18,
        2,
    ]


def test_what_raises_is_refused_with_one_line_and_the_others_go_on(tmp_path):
    results = [result for _, result in run_jobs(double, jobs(1, 13, 14, 2), tmp_path, quiet=True)]
    assert results == [2, Refused("thirteen is not played"), Refused("ZeroDivisionError: over two lines"), 4]
    assert len(list(tmp_path.iterdir())) == 2, "refusals are tried again next time"


def test_finished_pieces_are_not_done_again(tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    for numbers in ((1, 2), (1, 2, 3)):
        done = jobs(*numbers, folder=str(notes))
        assert [r for _, r in run_jobs(double_and_note, done, tmp_path / "store", quiet=True)] == [
            2 * n for n in numbers
        ]
    assert sorted(path.name.split(".")[0] for path in notes.iterdir()) == ["1", "2", "3"]


def test_a_worker_that_dies_is_an_error_that_says_how_to_go_on(tmp_path):
    with pytest.raises(UnavailableError, match="same command goes on"):
        list(run_jobs(die, jobs(0, 1, 2, 3), tmp_path, workers=2, quiet=True))


@pytest.mark.live
def test_a_cluster_does_the_same_and_survives_what_kills_a_worker(tmp_path):
    with dask_cluster(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as address:
        killed = list(run_jobs(die, jobs(1), tmp_path / "killed", cluster=address, quiet=True))
        done = list(run_jobs(double, jobs(4, 13, 2), tmp_path / "store", cluster=address, quiet=True))
    assert [result for _, result in killed] == [Refused("every worker of the cluster that took it died")]
    assert [result for _, result in done] == [8, Refused("thirteen is not played"), 4]


def test_progress_is_told_on_stderr_only_and_says_what_was_kept(tmp_path, capsys):
    list(run_jobs(double, jobs(1), tmp_path, label="bars"))
    list(run_jobs(double, jobs(1, 2), tmp_path, label="bars"))
    told = capsys.readouterr()
    assert told.out == ""
    assert "bars: 2 of 2, 1 kept from before" in told.err
    list(run_jobs(double, jobs(3), tmp_path, quiet=True))
    assert capsys.readouterr().err == ""


def test_a_key_tells_every_option_apart_and_is_stable():
    assert job_key("a", 1) == job_key("a", 1) == "ed7dae6c0ae50cb27e5de38a873a94f1"
    keys = {job_key("a", 1), job_key("a", "1"), job_key("a1"), job_key("a", 1, None), job_key("a", 1.0)}
    assert len(keys) == 5


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "x"
    write_atomically(path, b"before")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"after")
    assert path.read_bytes() == b"before"


def test_the_hash_is_of_the_content(tmp_path):
    for name, data in (("a", b"x" * 3_000_000), ("b", b"x" * 3_000_000), ("c", b"x" * 2_999_999)):
        (tmp_path / name).write_bytes(data)
    marks = [file_hash(tmp_path / name) for name in "abc"]
    assert marks[0] == marks[1] != marks[2]
