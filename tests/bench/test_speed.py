"""`zoo bench speed` on tiny sizes: what it compares is the same thing, whatever the time."""

from __future__ import annotations

import sys

import pytest
import torch
from synthetic import chain, glass

from zoo.bench.speed import energies, neighbors, segments, suite, throughput
from zoo.bench.speed.stock import AllPairsGraph
from zoo.bench.speed.suite import speed
from zoo.bench.speed.timing import interleave
from zoo.bench.suite import Options
from zoo.errors import ConfigError, RunFailed
from zoo.graphs import neighbor_list
from zoo.progress import Bar


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    one, two = str(chain(folder / "chain")), str(glass(folder / "glass"))
    parts = (
        ("energies", energies.energies, energies.Size(batch=6, single=3, repeats=2, compiled=False)),
        ("schnet", throughput.throughput, throughput.Size(one, 8, 2, 5, 10.0, batch=16, steps=1, repeats=2)),
        ("neighbours", neighbors.neighbors, neighbors.Size(two, (1, 2), cutoff=1.2, repeats=1)),
        ("segments", segments.segments, segments.Size(50, 200, steps=1, repeats=2)),
    )
    return speed(Options(folder), parts)


def test_all_parts_are_measured(outcome):
    assert outcome.failures == []
    assert [t.title.split()[0] for t in outcome.tables] == [
        "Machine",
        "Energies",
        "SchNet",
        "Neighbour",
        "Sums",
    ]
    measures = {r["measure"] for r in outcome.records}
    assert measures == {
        "energies and forces", "schnet training", "schnet inference", "neighbour list", "segment sum",
    }  # fmt: skip
    for record in outcome.records:
        assert record["rate_low"] <= record["rate_median"] <= record["rate_high"]
        assert record["machine"]["threads"] and record["machine"]["packages"]["torch"]


def test_both_schnets_are_one_function(outcome):
    found = {r["max_relative_energy_difference"] for r in outcome.records if "schnet" in r["measure"]}
    assert max(found) < 1e-5  # float32 sums in another order


def test_all_ways_to_an_energy_find_the_same(outcome):
    found = {r["way"]: r for r in outcome.records if r["measure"] == "energies and forces"}
    assert {"torch, float64", "torch, float32"} <= found.keys()
    assert found["torch, float32"]["largest_energy_difference_eV"] < 1e-4
    pytest.importorskip("openmm")
    assert found["torch, float64"]["largest_energy_difference_eV"] < 1e-7
    reference = found["OpenMM Reference"]
    assert reference["ratio_to_reference"] == 1 and reference["configurations"] == 3
    assert found["torch, float32"]["ratio_to_reference"] == pytest.approx(
        found["torch, float32"]["rate_median"] / reference["rate_median"]
    )


def test_energies_without_openmm_or_a_compiler(monkeypatch):
    monkeypatch.setitem(sys.modules, "openmm", None)
    monkeypatch.setattr(energies.MolecularEnergy, "compile_energy", lambda *_: False)
    threads = torch.get_num_threads()
    records, table = energies.energies(energies.Size(batch=4, single=2, repeats=1), "cpu")
    assert [r["way"] for r in records] == ["torch, float64", "torch, float32"]
    assert "OpenMM is not installed" in table.note and "No compiled code on cpu" in table.note
    assert {r["ratio_to_reference"] for r in records} == {None} and torch.get_num_threads() == threads


def test_energies_that_differ_are_an_error(monkeypatch):
    right = energies._one_by_one
    monkeypatch.setattr(energies, "_one_by_one", lambda *a: right(*a) + 0.01)
    pytest.importorskip("openmm")
    with pytest.raises(RunFailed, match="differ by"):
        energies.energies(energies.Size(batch=4, single=2, repeats=1, compiled=False), "cpu")


def test_all_neighbour_lists_find_the_same_pairs(outcome):
    by_size: dict[int, set[int]] = {}
    for record in outcome.records:
        if record["measure"] == "neighbour list":
            by_size.setdefault(record["particles"], set()).add(record["pairs"])
    assert len(by_size) == 2 and all(len(pairs) == 1 and pairs != {0} for pairs in by_size.values())


def test_the_stand_in_for_radius_graph_finds_what_the_neighbour_list_finds():
    torch.manual_seed(0)
    pos, batch = torch.rand(3 * 7, 3) * 4, torch.arange(3).repeat_interleave(7)
    index, length = AllPairsGraph(2.0)(pos, batch)
    expected = set()
    for g in range(3):
        edges = neighbor_list(pos[7 * g : 7 * g + 7], 2.0).edge_index + 7 * g
        expected |= set(map(tuple, edges.T.tolist()))
    assert set(map(tuple, index.T.tolist())) == expected and 0 < len(expected) < 3 * 42
    assert torch.allclose(length, (pos[index[0]] - pos[index[1]]).norm(dim=-1))


def test_ways_take_turns_after_a_round_that_is_not_timed():
    calls: list[str] = []
    ways = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    timings = interleave(ways, 2, Bar("", 0, ""))
    assert calls == ["a", "b"] * 3 and len(timings["a"].seconds) == 2


def test_a_part_that_fails_is_reported_and_the_rest_goes_on(tmp_path):
    def broken(size, device):
        raise ZeroDivisionError("not my day")

    small = ("segments", segments.segments, segments.Size(5, 20, (2,), 1, 1))
    found = speed(Options(tmp_path), (("broken", broken, None), small))
    assert found.failures == ["broken: not my day"] and found.records


def test_options_of_other_benchmarks_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="takes no --models"):
        speed(Options(tmp_path, models=("schnet",)))
    with pytest.raises(ConfigError, match="auto, cpu or gpu"):
        speed(Options(tmp_path, accelerator="tpu"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(ConfigError, match="no GPU"):
        speed(Options(tmp_path, accelerator="gpu"))
    assert suite._device("auto") == "cpu"
