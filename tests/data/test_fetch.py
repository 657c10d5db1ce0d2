from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import threading
import zipfile

import numpy as np
import pytest
from data.loopback import serve

from zoo.data.dataset import Dataset
from zoo.data.fetch import RemoteFile, download, list_source, listing, unpack
from zoo.errors import ConfigError, DataError, UnknownName
from zoo.registry import REGISTRY
from zoo.registry.spec import DatasetSpec, Source
from zoo.verbs.fetching import fetch_dataset, fetch_files, find_source

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr("zoo.data.fetch.transfer.pause", lambda _: None)
    with serve() as state:
        state.files["/a.bin"] = CONTENT
        yield state


def remote(server, **more) -> RemoteFile:
    return RemoteFile(f"{server.address}/a.bin", "a.bin", **{"checksum": SHA, **more})


def no_leftovers(folder) -> bool:
    return not [p for p in folder.rglob("*") if p.suffix in (".part", ".tag")]


def test_a_file_is_fetched_once(server, tmp_path):
    for _ in range(2):
        assert download(remote(server), tmp_path).read_bytes() == CONTENT
    assert server.requests["/a.bin"] == 1 and no_leftovers(tmp_path)


def test_a_cut_connection_is_resumed_where_it_ended(server, tmp_path):
    server.faults["/a.bin"] = ["cut", "cut", "cut"]
    assert download(remote(server), tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=150000-", "bytes=225000-", "bytes=262500-"]
    assert no_leftovers(tmp_path)


def test_what_a_killed_download_left_is_continued(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT[:1000])
    assert download(remote(server), tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(server, tmp_path):
    old = b"x" * 200_000
    server.files["/a.bin"], server.faults["/a.bin"] = old, ["cut"]
    with pytest.raises(DataError, match="could not be fetched"):
        download(remote(server), tmp_path, attempts=1)
    assert (tmp_path / "a.bin.part").stat().st_size == 100_000
    server.files["/a.bin"] = CONTENT  # another version, another tag
    assert download(remote(server), tmp_path).read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_thrown_away(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(CONTENT + b"more")
    assert download(remote(server), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("more", [{}, {"size": len(CONTENT)}])
def test_wrong_bytes_are_thrown_away(server, tmp_path, more):
    server.faults["/a.bin"] = ["wrong"]
    with pytest.raises(DataError, match="sha256 differs"):
        download(remote(server, **more), tmp_path)
    assert not (tmp_path / "a.bin").exists() and no_leftovers(tmp_path)
    assert download(remote(server), tmp_path).read_bytes() == CONTENT


def test_a_wrong_size_is_thrown_away(server, tmp_path):
    with pytest.raises(DataError, match="not what it should be"):
        download(remote(server, checksum=None, size=len(CONTENT) + 5), tmp_path, attempts=1)
    assert not (tmp_path / "a.bin").exists()


def test_a_slow_server_is_waited_for(server, tmp_path):
    server.faults["/a.bin"] = ["slow"]
    assert download(remote(server), tmp_path, timeout=1).read_bytes() == CONTENT


def test_a_server_that_falls_silent_is_given_up(server, tmp_path):
    server.faults["/a.bin"] = ["stall", "stall"]
    with pytest.raises(DataError, match=r"could not be fetched \(.*2 attempts\); the same command"):
        download(remote(server), tmp_path, timeout=0.2, attempts=2)


@pytest.mark.parametrize("status", [404, 403, 410])
def test_an_address_that_is_gone_is_one_clear_error_at_once(server, tmp_path, status):
    server.faults["/a.bin"] = [status]
    with pytest.raises(DataError, match=f"a.bin: HTTP {status}"):
        download(remote(server), tmp_path)
    assert server.requests["/a.bin"] == 1 and no_leftovers(tmp_path)


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.faults["/a.bin"] = [503, 429, 500]
    assert download(remote(server), tmp_path).read_bytes() == CONTENT


def test_no_server_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.data.fetch.transfer.pause", lambda _: None)
    with pytest.raises(DataError, match="could not be fetched"):
        download(RemoteFile("http://127.0.0.1:9/a", "a"), tmp_path, attempts=2)
    with pytest.raises(DataError, match="no http or https"):
        download(RemoteFile("file:///etc/passwd", "a"), tmp_path)


def test_without_a_published_checksum_the_first_download_counts(server, tmp_path):
    file = remote(server, checksum=None)
    path = download(file, tmp_path)
    path.write_bytes(CONTENT[:-1] + b"?")  # damaged on the disk
    assert download(file, tmp_path).read_bytes() == CONTENT
    path.unlink()
    server.files["/a.bin"] = CONTENT[::-1]
    with pytest.raises(DataError, match="differs"):
        download(file, tmp_path)


def test_offline(server, tmp_path, monkeypatch):
    download(remote(server), tmp_path)
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    assert download(remote(server), tmp_path).read_bytes() == CONTENT
    with pytest.raises(DataError, match="ZOO_OFFLINE forbids"):
        download(remote(server), tmp_path / "other")
    assert server.requests["/a.bin"] == 1


def test_two_at_once_fetch_once(server, tmp_path):
    server.faults["/a.bin"] = ["slow"]
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(download(remote(server), tmp_path).read_bytes()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 4 and server.requests["/a.bin"] == 1


def test_a_killed_process_leaves_what_the_next_one_continues(server, tmp_path):
    server.files["/a.bin"] = CONTENT * 20
    server.faults["/a.bin"] = ["slow"]
    code = (
        "from pathlib import Path; from zoo.data.fetch import *; "
        f"download(RemoteFile({server.address + '/a.bin'!r}, 'a.bin'), Path({str(tmp_path)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    part = tmp_path / "a.bin.part"
    while not (part.is_file() and part.stat().st_size):
        assert process.poll() is None
    process.kill()
    process.wait()
    assert not (tmp_path / "a.bin").exists()
    assert download(remote(server, checksum=None), tmp_path).read_bytes() == CONTENT * 20
    assert server.ranges[-1] is not None


# --- lists -----------------------------------------------------------------------------------


def test_zenodo_record(server, monkeypatch):
    monkeypatch.setattr(listing, "ZENODO", f"{server.address}/records")
    link = {"self": f"{server.address}/a.bin"}
    record = {"files": [
        {"key": "KA.tar.gz", "size": 5, "checksum": "md5:0a", "links": link},
        {"key": "other.txt", "size": 5, "checksum": "md5:0b", "links": link},
    ]}  # fmt: skip
    server.files["/records/42"] = json.dumps(record).encode()
    source = Source(name="z", summary="", kind="zenodo", location="42", pattern=r"\.tar\.gz$")
    assert list_source(source) == [RemoteFile(link["self"], "KA.tar.gz", "md5:0a", 5)]
    server.files["/records/43"] = b"<html>"
    with pytest.raises(DataError, match="no JSON"):
        list_source(Source(name="z", summary="", kind="zenodo", location="43"))
    with pytest.raises(DataError, match="HTTP 404"):
        list_source(Source(name="z", summary="", kind="zenodo", location="44"))
    record["files"][0]["key"] = "../../evil"
    server.files["/records/42"] = json.dumps(record).encode()
    with pytest.raises(DataError, match="leave its folder"):
        list_source(Source(name="z", summary="", kind="zenodo", location="42"))


def test_google_bucket(server, monkeypatch):
    monkeypatch.setattr(listing, "GOOGLE", f"{server.address}/b")
    md5 = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
    items = [{"name": "train/agg_0.pickle", "size": "7", "md5Hash": md5, "mediaLink": "http://x/0"}]
    server.files["/b/bucket/o"] = json.dumps({"items": items}).encode()
    (file,) = list_source(Source(name="g", summary="", kind="google", location="bucket/train"))
    assert file == RemoteFile(
        "http://x/0", "train/agg_0.pickle", "md5:" + hashlib.md5(CONTENT).hexdigest(), 7
    )
    with pytest.raises(DataError, match="no file that matches"):
        list_source(Source(name="g", summary="", kind="google", location="bucket/train", pattern="test"))


# --- archives --------------------------------------------------------------------------------


def tar(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content
                archive.addfile(info)
    return path


def test_tar_and_zip_are_unpacked(tmp_path):
    out = unpack(tar(tmp_path / "a.tar.gz", ("d/x.txt", b"hello"), ("y", b"")), tmp_path / "a")
    assert (out / "d/x.txt").read_bytes() == b"hello" and (out / "y").is_file()
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("d/x.txt", "hello")
    assert (unpack(tmp_path / "b.zip", tmp_path / "b") / "d/x.txt").read_text() == "hello"


@pytest.mark.parametrize(
    "member",
    [
        ("../evil", b"x"),
        ("/etc/evil", b"x"),
        ("a/../../evil", b"x"),
        ("link", (tarfile.SYMTYPE, "/etc/passwd")),
        ("link", (tarfile.LNKTYPE, "../x")),
        ("pipe", (tarfile.FIFOTYPE, "")),
        ("device", (tarfile.CHRTYPE, "")),
        ("C:evil", b"x"),
    ],
)
def test_a_dangerous_member_is_refused(tmp_path, member):
    inner = tmp_path / "inner"
    inner.mkdir()
    path = tar(inner / "a.tar.gz", ("good", b"x"), member)
    with pytest.raises(DataError, match="refused"):
        unpack(path, inner / "a")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.tar.gz", "inner"]


def test_a_dangerous_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../evil", "x")
    with pytest.raises(DataError, match="refused"):
        unpack(tmp_path / "a.zip", tmp_path / "a")


def test_a_bomb_is_refused(tmp_path):
    path = tar(tmp_path / "a.tar.gz", ("zeros", bytes(300 << 20)))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(DataError, match="refused"):
        unpack(path, tmp_path / "a")


def test_a_cut_or_flipped_archive_is_one_clear_error(tmp_path):
    whole = tar(tmp_path / "whole.tar.gz", ("x", CONTENT), ("y", CONTENT)).read_bytes()
    rng = np.random.default_rng(1)
    for number in range(40):
        damaged = bytearray(whole)
        if number % 2:
            damaged = damaged[: rng.integers(1, len(whole) - 8)]
        else:
            damaged[rng.integers(0, len(whole))] ^= 1 << int(rng.integers(8))
        path = tmp_path / f"{number}.tar.gz"
        path.write_bytes(damaged)
        try:
            out = unpack(path, tmp_path / str(number))
        except DataError:
            assert not (tmp_path / str(number)).exists()
        else:  # a bit of the gzip header that means nothing
            assert (out / "x").read_bytes() == (out / "y").read_bytes() == CONTENT


# --- from the address to the dataset ---------------------------------------------------------


@pytest.fixture
def entry(server):
    rng = np.random.default_rng(0)
    buffer = io.BytesIO()
    np.savez(buffer, positions=rng.normal(size=(6, 4, 3)), types=[0, 0, 1, 1], box=5.0)
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        info = tarfile.TarInfo("set/frames.npz")
        info.size = len(buffer.getvalue())
        archive.addfile(info, io.BytesIO(buffer.getvalue()))
    server.files["/set.tar.gz"] = raw.getvalue()
    address = server.address
    common = {"kind": "files", "label": "fetched", "settings": {"units": "lj"}}
    digest = hashlib.md5(raw.getvalue()).hexdigest()
    spec = DatasetSpec(
        name="public-set",
        summary="A set on loopback.",
        target="zoo.data.entry:DatasetEntry",
        tasks=("forces",),
        sources=(
            Source(
                name="one", summary="good", location=f"{server.address}/set.tar.gz#md5:{digest}", **common
            ),
            Source(name="two", summary="gone", location=f"{address}/gone.npz", **common),
        ),
    )
    REGISTRY.register(spec, replace=True)
    return spec


def test_fetch_makes_a_dataset(entry, tmp_path, monkeypatch, server):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = fetch_dataset("public-set", "one")
    assert str(folder) == "data/public-set-one" and len(Dataset(folder)) == 6
    assert Dataset(folder).name == "fetched"
    with pytest.raises(DataError, match="exists already"):
        fetch_dataset("public-set", "one")
    fetch_dataset("public-set", "one", tmp_path / "again")
    with pytest.raises(DataError, match="no file of one matches 'other'"):
        fetch_files("public-set", "one", match="other")
    with pytest.raises(ConfigError, match="regular expression"):
        fetch_files("public-set", "one", match="(")
    assert server.requests["/set.tar.gz"] == 1
    with pytest.raises(DataError, match="HTTP 404"):
        fetch_files("public-set", "two")


def test_sources_are_named(entry):
    with pytest.raises(ConfigError, match="one: good; two: gone"):
        find_source("public-set")
    with pytest.raises(UnknownName, match="Did you mean 'one'"):
        find_source("public-set", "onee")
    REGISTRY.register(
        DatasetSpec(name="private-set", summary="No files.", target="zoo.data.entry:DatasetEntry", tasks=())
    )
    with pytest.raises(DataError, match="zoo data make private-set"):
        find_source("private-set")


def test_wanted_files_of_nested_archives(server, tmp_path, monkeypatch):
    """The layout of GlassBench: an archive for each temperature, in an archive."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = find_source("kob-andersen", "glassbench-0.44")
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as archive:
        for name in ("T0.44/train/N4096T0.44_10.npz", "T0.44/train/N4096T0.44_2.npz", "T0.44/read.me"):
            archive.addfile(tarfile.TarInfo(name))
    outer = io.BytesIO()
    with tarfile.open(fileobj=outer, mode="w:gz") as archive:
        for name in ("KA_models/T0.44.tar.gz", "KA_models/T0.64.tar.gz"):
            info = tarfile.TarInfo(name)
            info.size = len(inner.getvalue())
            archive.addfile(info, io.BytesIO(inner.getvalue()))
    server.files["/KA_models.tar.gz"] = outer.getvalue()
    link = {"self": f"{server.address}/KA_models.tar.gz"}
    server.files[f"/records/{source.location}"] = json.dumps(
        {"files": [{"key": "KA_models.tar.gz", "size": len(outer.getvalue()), "links": link}]}
    ).encode()
    monkeypatch.setattr(listing, "ZENODO", f"{server.address}/records")
    found = fetch_files("kob-andersen", "glassbench-0.44")
    assert [p.name for p in found][:2] == ["N4096T0.44_2.npz", "N4096T0.44_10.npz"]
    assert all("read.me" not in p.name for p in found)
