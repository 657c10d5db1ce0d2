from __future__ import annotations

import json

import numpy as np
import pytest

from zoo.data.work import Work, work_folder
from zoo.engines.runs import Runs, share
from zoo.errors import DataError, RunFailed


class Counter:
    """A simulator whose frames tell what they depend on: where it stood, and the numbers drawn."""

    def __init__(self, job):
        self.job = job

    def advance(self, run, piece, frames, state, tell):
        at = self.job["start"] + run if state is None else int(state["last_at"])
        rng = np.random.default_rng([self.job["seed"], run, piece])
        for _ in range(frames):
            tell()
            if self.job.get("fails") == run:
                raise ValueError("the bond broke")
        return {
            "positions": (at + np.arange(frames))[:, None],
            "noise": rng.random(frames),
            "last_at": np.array(at + frames),
        }


def runs(**job) -> Runs:
    return Runs("counter", "engines.test_runs:Counter", {"start": 100, "seed": 1, **job}, (5, 4), 2)


def working(path) -> Work:
    path.mkdir()
    return Work(path)


def test_pieces_hand_on_their_state_and_processes_give_what_one_process_gives(tmp_path):
    with work_folder(tmp_path / "out", runs().request()) as work:
        runs().execute(work, workers=2)
        side_by_side = runs().gather(work)
    here = working(tmp_path / "here")
    for run in (0, 1):
        runs().simulate(run, here, tell=lambda: None)
    for name, array in runs().gather(here).items():
        assert np.array_equal(array, side_by_side[name]), name
    assert side_by_side["positions"][:, 0].tolist() == [100, 101, 102, 103, 104, 101, 102, 103, 104]
    assert side_by_side["run"].tolist() == [0] * 5 + [1] * 4
    assert "last_at" not in side_by_side


def test_stopped_between_pieces_it_continues_exactly(tmp_path):
    whole, broken = working(tmp_path / "whole"), working(tmp_path / "broken")
    runs().simulate(0, whole, tell=lambda: None)
    count = iter(range(100))

    def stop() -> None:
        if next(count) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs().simulate(0, broken, tell=stop)
    names = [name for name, _ in runs().pieces(0)]
    assert [name in broken for name in names] == [True, False, False]
    runs().simulate(0, broken, tell=lambda: None)
    for name in names:
        for key, array in whole.load(name).items():
            assert np.array_equal(array, broken.load(name)[key]), (name, key)


def test_a_failing_run_is_one_clear_error_and_what_was_saved_stays(tmp_path):
    with pytest.raises(RunFailed, match=r"counter: run 1 failed: ValueError: the bond broke\nrepeat"):
        with work_folder(tmp_path / "out", runs(fails=1).request()) as work:
            runs(fails=1).execute(work, workers=1)
    assert len(list((tmp_path / "out.partial").glob("run-0000-*.npz"))) == 3
    with pytest.raises(DataError, match="another request"), work_folder(tmp_path / "out", runs().request()):
        pass


def test_the_job_travels_as_json(tmp_path):
    work = working(tmp_path / "w")
    runs()._write(work)
    assert Runs.read(work) == runs()
    assert json.loads((work.folder / "job.json").read_text())["frames"] == [5, 4]


def test_frames_are_shared_evenly():
    assert share(7, 3) == (3, 2, 2)


def test_an_interrupted_dataset_says_how_to_go_on(tmp_path, capsys):
    with pytest.raises(KeyboardInterrupt), work_folder(tmp_path / "out", runs().request()):
        raise KeyboardInterrupt
    assert "out.partial keeps what is done; the same command goes on" in capsys.readouterr().err
    assert (tmp_path / "out.partial").is_dir()
