"""`zoo watch`: what it tells of runs in any state, and whom it answers."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import chain

import zoo
from zoo.cli.app import main
from zoo.errors import ConfigError
from zoo.files import write_json
from zoo.report import plot
from zoo.report.inside import PICTURES
from zoo.run import METRICS, RESULTS, STATUS, Run
from zoo.tasks.metrics import metric
from zoo.verbs.inside.record import Inside
from zoo.verbs.looking.callback import epoch_folder
from zoo.watch import curves
from zoo.watch.server import Server
from zoo.watch.state import Reader


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chain(tmp_path_factory.mktemp("data") / "chain", frames=48)


@pytest.fixture
def run(data: Path, tmp_path: Path) -> Run:
    """A finished run of three epochs, with a look after the second."""
    settings = {"train.batch_size": 8, "model.hidden_channels": 8, "train.accelerator": "cpu"}
    run = zoo.train("schnet", data, epochs=3, settings=settings, out=tmp_path / "run", with_baselines=False)
    structures(run, 2)
    return run


def structures(run: Run, epochs: int, shift: float = 0.0) -> None:
    """Leave a look at structures after so many epochs."""
    x = np.random.default_rng(epochs).normal(shift, 1, (3, 5, 3))
    arrays = {"positions": x, "elements": np.array([6, 8, 6, 8, 6]), "bonds": np.array([[0, 1], [1, 2]])}
    facts = {"notes": ["first", "second", "third"], "unit": "Å"}
    record = Inside("samples", run.path.name, {"finite": metric(1.0, "1")}, arrays, facts=facts)
    record.save(epoch_folder(run.path, epochs))


@contextmanager
def served(path: Path) -> Iterator[Server]:
    with Server(path, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


# --- whom it answers ------------------------------------------------------------------------------------


def test_it_listens_to_this_machine_alone(run: Run) -> None:
    with served(run.path) as server:
        assert server.socket.getsockname()[0] == "127.0.0.1"
        own = [a[4][0] for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
        for address in {a for a in own if not a.startswith("127.")}:
            with pytest.raises(OSError):
                socket.create_connection((address, server.server_port), timeout=2).close()


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example", "", "0"]
)
def test_a_page_from_elsewhere_is_refused(run: Run, host: str) -> None:
    with served(run.path) as server:
        for path in ("/", "/state.json", "/curves.json"):
            status, _, content = ask(server, path, Host=host)
            assert status == 403 and b"finished" not in content.lower()
        assert ask(server, "/state.json", Host="localhost")[0] == 200
        assert ask(server, "/state.json", Host=f"LOCALHOST:{server.server_port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(run: Run, method: str) -> None:
    before = files(run.path)
    with served(run.path) as server:
        status, headers, _ = ask(server, "/state.json", method)
        assert status == 405 and headers["Allow"] == "GET, HEAD"
    assert files(run.path) == before


@pytest.mark.parametrize(
    "path",
    [
        "/config.yaml", "/../config.yaml", "/%2e%2e/config.yaml", "//etc/passwd", "/state.json/", "/inside",
        "/look.json", "/look.json?kind=samples&epochs=../2", "/look.json?kind=../samples&epochs=2",
        "/look.json?kind=samples&epochs=0002", "/look.json?kind=samples&epochs=7",
        "/look.json?kind=x&epochs=2",
    ],
)  # fmt: skip
def test_only_what_there_is_can_be_asked_for(run: Run, path: str) -> None:
    with served(run.path) as server:
        status, _, content = ask(server, path)
    assert status == 404 and b"root:" not in content and b"schnet" not in content


def test_an_address_that_is_none_is_no_harm(run: Run) -> None:
    with served(run.path) as server:
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as raw:
            raw.sendall(b"\x16\x03\x01 rubbish\r\n\r\n")
            raw.recv(100)
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as raw:
            raw.sendall(b"GET http://[ HTTP/1.0\r\nHost: localhost\r\n\r\n")
            assert b" 400 " in raw.recv(100)
        assert ask(server, "/state.json")[0] == 200


def test_answers_are_locked_down_and_head_has_no_body(run: Run) -> None:
    with served(run.path) as server:
        status, headers, page = ask(server, "/")
        policy = headers["Content-Security-Policy"]
        assert status == 200 and b"<script" in page
        assert "default-src 'none'" in policy and "connect-src 'self'" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2] and "unsafe-eval" not in policy
        assert not any(name.lower().startswith("access-control") for name in headers)
        status, again, body = ask(server, "/", "HEAD")
        assert status == 200 and body == b"" and int(again["Content-Length"]) == len(page)


# --- what it tells --------------------------------------------------------------------------------------


def test_a_finished_run_is_shown_and_not_touched(run: Run) -> None:
    before = files(run.path)
    with served(run.path) as server:
        state = json.loads(ask(server, "/state.json")[2])
        assert state["state"] == "finished" and state["headline"] == "Finished after 3 of 3 epochs"
        assert state["about"].startswith("schnet on ") and state["flags"] == []
        (look,) = state["looks"]
        assert look["epochs"] == 2 and list(look["kinds"]) == ["samples"]
        curves = json.loads(ask(server, "/curves.json")[2])
        assert curves["version"] == state["curves"] and "<svg" in curves["pictures"][0]["svg"]
        assert "eV/Å" in curves["pictures"][0]["svg"]
        found = json.loads(ask(server, "/look.json?kind=samples&epochs=2")[2])
        assert found["version"] == look["kinds"]["samples"] and found["numbers"] == [["finite", "1", ""]]
        assert "third" in found["pictures"][0]["svg"]
    assert files(run.path) == before


def test_pictures_are_drawn_once_and_again_when_they_change(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(run.path) as server:
        drawn: list[str] = []
        draw = server.pictures._draw_look
        monkeypatch.setattr(server.pictures, "_draw_look", lambda record: drawn.append("") or draw(record))
        path = "/look.json?kind=samples&epochs=2"
        first = [ask(server, path)[2] for _ in range(3)]
        assert len(drawn) == 1 and first[0] == first[1] == first[2]
        structures(run, 2, shift=5.0)
        assert ask(server, path)[2] != first[0] and len(drawn) == 2


def test_a_picture_that_fails_stops_no_other(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def bad(records: list[Inside]) -> None:
        records[0].arrays["no"]

    monkeypatch.setitem(PICTURES, "samples", {"bad": bad, **PICTURES["samples"]})
    with served(run.path) as server:
        found = json.loads(ask(server, "/look.json?kind=samples&epochs=2")[2])
    assert [picture["title"] for picture in found["pictures"]] == ["Structures in space"]
    assert found["left_out"] == [["bad", "cannot be drawn: KeyError: 'no'"]] and not found["problem"]


def test_a_run_that_is_not_there_is_waited_for(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "later"
    with served(path) as server:
        state = json.loads(ask(server, "/state.json")[2])
        assert state["state"] == "waiting" and str(path) in state["headline"]
        assert not path.exists()
        (path / "checkpoints").mkdir(parents=True)  # as a run begins
        assert json.loads(ask(server, "/state.json")[2])["state"] == "waiting"
        (path / "checkpoints").rmdir()
        zoo.train("mean-force", data, out=path, with_baselines=False)
        assert json.loads(ask(server, "/state.json")[2])["state"] == "finished"


@pytest.mark.parametrize("name", [METRICS, STATUS, "flags.json", "inside/epochs/0002/samples.json",
                                  "inside/epochs/0002/samples.npz", "config.yaml"])  # fmt: skip
def test_half_a_file_does_no_harm(run: Run, name: str) -> None:
    write_json(run.path / STATUS, {"state": "training", "pid": os.getpid(), "host": socket.gethostname()})
    write_json(run.path / "flags.json", {"flags": [{"kind": "NaN", "text": "here"}]})
    with served(run.path) as server:
        whole = json.loads(ask(server, "/state.json")[2])
        content = (run.path / name).read_bytes()
        for part in (content[: len(content) // 2], b"", b"\xff\xfe\x00"):
            (run.path / name).write_bytes(part)
            for path in ("/state.json", "/curves.json", "/look.json?kind=samples&epochs=2"):
                status, _, answer = ask(server, path)
                assert status == 200 and json.loads(answer)
        (run.path / name).write_bytes(content)
        after = json.loads(ask(server, "/state.json")[2])
        assert after["flags"] == whole["flags"] and after["state"] == "training"
        look = json.loads(ask(server, "/look.json?kind=samples&epochs=2")[2])
        assert look["pictures"] and not look["problem"]


def test_how_a_run_stands(run: Run) -> None:
    (run.path / RESULTS).unlink()
    reader, here = Reader(run.path), socket.gethostname()
    status: dict[str, Any] = {
        "state": "training", "epochs": 10, "done": 3, "step": 2, "steps": 4, "pid": os.getpid(), "host": here,
        "problems": {"layers": "no"},
    }  # fmt: skip
    rows = [{"epoch": i, "seconds": 60.0 * (i + 1), "train_loss": 1.0, "val_loss": 1.0} for i in range(3)]
    run.write_curve(rows)
    write_json(run.path / STATUS, status)
    state = reader.state()
    assert state["headline"] == "Training: 3 of 10 epochs done" and state["problems"] == {"layers": "no"}
    # six and a half epochs of a minute are left
    assert state["detail"] == "step 2 of 4 of epoch 4 · 60 s an epoch · about 6 min left"
    write_json(run.path / STATUS, status | {"state": "died"})
    assert reader.state()["headline"] == "Died after 3 of 10 epochs"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_json(run.path / STATUS, status | {"pid": gone.pid})
    state = reader.state()
    assert state["state"] == "died" and "killed" in state["flags"][-1]["text"]
    write_json(run.path / STATUS, status | {"pid": gone.pid, "host": "another"})  # who knows
    assert reader.state()["state"] == "training"
    long_ago = time.time() - 3600
    for name in (STATUS, METRICS):
        os.utime(run.path / name, (long_ago, long_ago))
    assert "nothing heard of it for 60 min" in reader.state()["detail"]


def test_a_training_is_followed(data: Path, tmp_path: Path) -> None:
    """A process trains while another watches: from nothing, through epochs and looks, to the end."""
    path = tmp_path / "run"
    code = (
        f"import zoo; zoo.train('schnet', {str(data)!r}, epochs=8, out={str(path)!r}, look_every=2, "
        "settings={'model.hidden_channels': 8, 'train.batch_size': 1}, with_baselines=False)"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with served(path) as server:
        child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, env=environment)
        seen: list[dict[str, Any]] = []
        try:
            while child.poll() is None:
                status, _, answer = ask(server, "/state.json")
                assert status == 200
                seen.append(json.loads(answer))
                time.sleep(0.02)
        finally:
            child.kill()
        last = json.loads(ask(server, "/state.json")[2])
    assert child.returncode == 0
    states = list(dict.fromkeys(state["state"] for state in seen))
    assert states[0] == "waiting" and "training" in states and last["state"] == "finished"
    assert [look["epochs"] for look in last["looks"]] == [2, 4, 6, 8]
    headlines = list(dict.fromkeys(state["headline"] for state in seen if state["state"] == "training"))
    assert len(headlines) > 2 and headlines == sorted(headlines)  # of less than ten epochs


def test_curves_are_what_the_run_logged() -> None:
    rows = [{"epoch": i, "train_loss": 2.0 / (i + 1), "val_loss": 3.0 / (i + 1)} for i in range(5)]
    with_metric = [{**row, "val_force_mae": 0.25 * (i + 1)} for i, row in enumerate(rows)]
    with plot.style():
        plain, full = curves.draw(rows, None), curves.draw(with_metric, "ase")
    numbers = [float(n) for n in re.findall(r"[-+.\de]+", plain.table) if re.fullmatch(r"[\d.]+", n)]
    assert {2.0, 3.0, 0.4, 0.6} <= {round(n, 6) for n in numbers}
    assert "force MAE (eV/Å)" in full.table and "1.25" in full.table
    assert "Right" in full.caption and "Right" not in plain.caption


# --- the command ----------------------------------------------------------------------------------------


def test_the_command_says_where_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "zoo.cli.app", "watch", str(tmp_path / "run"), "--port", "0"]
    # a shell starts work in the background, as CI may be, deaf to Ctrl-C
    child = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        assert child.stderr is not None
        line = child.stderr.readline()
        assert "http://127.0.0.1:" in line and "this machine alone" in line
        child.send_signal(signal.SIGINT)
        out, rest = child.communicate(timeout=20)
    finally:
        child.kill()
    assert child.returncode == 0 and rest.strip() == "stopped" and out == ""


def test_a_taken_port_and_a_folder_of_something_else(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["watch", str(tmp_path / "run"), "--port", str(port)]) == 2
        assert f"port {port} cannot be had" in capsys.readouterr().err
    assert main(["watch", str(data)]) == 2
    assert "is no run" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="65535"):
        Server(tmp_path, 99999)
