"""The suite of coarse-graining: rows resolve, tables say what records say, and the published recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo.bench.coarse_graining import curve, decoders, loop, rings, why
from zoo.bench.coarse_graining.cells import mean_cell, number, values
from zoo.bench.coarse_graining.plain import PlainAutoencoder, Recipe, train_plain
from zoo.bench.coarse_graining.suite import coarse_graining
from zoo.bench.speed import autoencoder
from zoo.bench.speed.suite import PARTS, speed
from zoo.bench.suite import Options, Row, Table
from zoo.data.catalog import open_dataset
from zoo.errors import UnknownName
from zoo.units import EV_PER_KCAL_MOL
from zoo.verbs.plan import resolve

PARTS_WITH_ROWS = {"curve": curve, "rings": rings, "why": why, "decoders": decoders}
ROWS = [(name, row) for name, part in PARTS_WITH_ROWS.items() for row in part.rows(quick=False)]


@pytest.mark.parametrize(("part", "row"), ROWS, ids=[f"{name}-{row.name}" for name, row in ROWS])
def test_row_resolves(part: str, row: Row) -> None:
    """Every setting is known and in range; tables find a row by the dataset's own name."""
    plan = resolve(row.model, row.dataset, task=row.task, settings=row.settings)
    assert plan.task.name == "reconstruction"
    assert open_dataset(row.dataset).name == row.dataset


@pytest.mark.parametrize("part", PARTS_WITH_ROWS.values(), ids=PARTS_WITH_ROWS.keys())
def test_quick_is_shorter_and_the_same_otherwise(part: Any) -> None:
    long, short = part.rows(False), part.rows(True)
    assert [row.name for row in long] == [row.name for row in short]
    assert len({row.name for row in long}) == len(long)
    for a, b in zip(long, short, strict=True):
        assert b.settings["train.epochs"] < a.settings["train.epochs"]
        assert {**a.settings, "train.epochs": 0} == {**b.settings, "train.epochs": 0}


def test_loop_maps_and_its_rows_resolve(tmp_path: Path) -> None:
    rows = [loop._row(Options(tmp_path, quick=True), to) for to in loop.MAPS]
    for row, beads in zip(rows, loop.MAPS.values(), strict=True):
        assert open_dataset(row.dataset).system.num_particles == beads
        assert resolve(row.model, row.dataset, task=row.task, settings=row.settings).task.name == "forces"
    written = [p.stat().st_mtime_ns for p in sorted(tmp_path.rglob("*")) if p.is_file()]
    full = loop._row(Options(tmp_path), "backbone")
    assert full.settings["train.epochs"] > rows[0].settings["train.epochs"]
    assert [p.stat().st_mtime_ns for p in sorted(tmp_path.rglob("*")) if p.is_file()] == written


def test_models_without_a_part_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="model in this benchmark named 'schnett'"):
        coarse_graining(Options(tmp_path, models=("schnett",)))
    assert list(tmp_path.iterdir()) == []


# --- tables ------------------------------------------------------------------------------------------


def record(row: Row, metrics: dict[str, float], seed: int = 0, **baselines: dict[str, float]) -> dict:
    def given(numbers: dict[str, float]) -> dict:
        return {key: {"value": value, "unit": "?"} for key, value in numbers.items()}

    return {
        "row": row.name, "model": row.model, "dataset": row.dataset, "seed": seed, "error": None,
        "metrics": given(metrics), "baselines": {name: given(own) for name, own in baselines.items()},
    }  # fmt: skip


def shown(table: Table, line: int = 0) -> list[tuple[str, str]]:
    assert all(len(row) == len(table.header) for row in table.rows)
    return list(zip(table.header, table.rows[line], strict=True))


def test_curve_table_has_the_units_of_the_published_one() -> None:
    """1,000 (kcal/mol/Å)² are 1.8804 (eV/Å)²; seeds 0.3 and 0.5 are 0.4 ± 0.14."""
    row = next(r for r in curve.rows(False) if r.dataset == "otp" and r.label == "3-beads")
    force = 1000 * EV_PER_KCAL_MOL**2
    assert force == pytest.approx(1.8804, abs=1e-3)
    records = [
        record(
            row, {"mse": mse, "mean_force": force, "beads_used": 3, "contiguity": 0.75}, seed,
            **{"pca": {"mse": 0.1}, "segment-map": {"mse": 0.6}, "random-map": {"mse": 2.0}},
        )
        for seed, mse in enumerate((0.3, 0.5))
    ]  # fmt: skip
    table = curve.table([*records, failed(curve.rows(False)[0])])
    assert len(table.rows) == 2
    cells = shown(table, 1 if table.rows[0][:2] != ("otp", "3") else 0)
    assert [value for _, value in cells] == [
        "otp", "3", "0.4 ± 0.1", "0.35", "0.1", "0.6", "2", "1e+03", "1e+03", "3", "0.75",
    ]  # fmt: skip


def failed(row: Row) -> dict:
    return {**record(row, {}), "baselines": {}, "error": "diverged", "run": "nowhere"}


def test_curve_table_tells_2_from_12_beads_and_has_gaps() -> None:
    rows = curve.rows(False)
    table = curve.table([record(r, {"mse": 0.1 * i}) for i, r in enumerate(rows, 1)])
    assert [line[:2] for line in table.rows] == [(r.dataset, r.label.partition("-")[0]) for r in rows]
    assert [line[2] for line in table.rows] == [f"{0.1 * i:.3g}" for i in range(1, len(rows) + 1)]
    assert {line[3] for line in table.rows if line[0] == "alanine-dipeptide"} == {"–"}


def test_rings_table_has_seeds_published_recipe_and_thesis(monkeypatch: pytest.MonkeyPatch) -> None:
    row = next(r for r in rings.rows(False) if "neq" in r.dataset and r.label == "18-beads")
    maps = {"a": np.arange(70) // 4, "b": np.arange(70) // 4 + 1}
    monkeypatch.setattr(rings, "Run", lambda path: type("R", (), {"predictions": lambda _: _of(path)})())

    def _of(path: str) -> dict[str, np.ndarray]:
        return {"map_group": maps[path]}

    bounds = {"segment-map": {"mse": 0.2}, "pca": {"mse": 0.1}, "random-map": {"mse": 0.9}}
    own = [
        {**record(row, {"mse": mse, "beads_used": 18}, seed, **bounds), "run": name}
        for seed, (mse, name) in enumerate(((0.15, "a"), (0.15, "b")))
    ]
    model = PlainAutoencoder(70, 18)
    with torch.no_grad():
        model.assign.zero_()
        model.assign[range(70), [i % 12 for i in range(70)]] = 1
        model.decode.zero_()
    x = torch.randn(5, 70, 3, generator=torch.Generator().manual_seed(0))
    plain = rings._record(model, "nose-hoover-neq", 18, 0, x)
    own_mse = float((x - x.mean(1, keepdim=True)).square().mean())  # it decodes to its centre
    assert plain["metrics"]["mse"]["value"] == pytest.approx(own_mse)
    table = rings.table([*own, plain])
    assert len(table.rows) == 1
    assert [value for _, value in shown(table)] == [
        "nose-hoover-neq", "18", "0.15", "18 18", "1.00", "0.2", "0.1", "0.9", f"{own_mse:.3g}", "12",
        "0.097", "12",
    ]  # fmt: skip


def test_why_table_has_a_line_for_each_variant() -> None:
    rows = why.rows(False)
    table = why.table(
        [record(r, {"mse": i, "beads_used": 10 + i}, s) for i, r in enumerate(rows) for s in (0, 1)]
    )
    assert [line[0] for line in table.rows] == [what for what, _ in why.VARIANTS.values()]
    many = len(why.VARIANTS)
    for i, line in enumerate(table.rows):
        assert line[1:] == (f"{i}", f"{10 + i} {10 + i}", f"{many + i}", f"{10 + many + i} {10 + many + i}")


def test_decoders_table_has_the_model_and_what_it_is_measured_by() -> None:
    row = next(r for r in decoders.rows(False) if r.dataset == "insulin" and r.label == "calpha")
    sound = {"bond_errors": 0.02, "clashes": 1.5, "inverted_centers": 0}
    found = record(
        row, {"rmsd": 0.5, "decode_rmsd": 0.9, "diversity": 0.4, **sound},
        **{
            "chemical-map": {"rmsd": 1.2, **sound}, "segment-map": {"rmsd": 9.0},
            "frame-rebuild": {"rmsd": 1.1, "inverted_centers": 3},
        },
    )  # fmt: skip
    table = decoders.table([found, failed(decoders.rows(False)[0])])
    assert [line[:3] for line in table.rows] == [
        ("insulin", "calpha", "cg-vae"), ("insulin", "calpha", "linear, least squares"),
        ("insulin", "calpha", "rebuild, local frames"),
    ]  # fmt: skip
    # stored without hydrogens: heavy atoms are all
    assert table.rows[0][3:] == ("0.5", "0.5", "0.9", "0.9", "2", "1.5", "0", "0.4")
    assert table.rows[1][3:] == ("1.2", "1.2", "1.2", "1.2", "2", "1.5", "0", "–")
    assert table.rows[2][3:] == ("1.1", "1.1", "1.1", "1.1", "–", "–", "3", "–")


def test_decoders_of_atoms_with_hydrogens_have_heavy_atoms_apart() -> None:
    row = next(r for r in decoders.rows(False) if r.label == "backbone")
    metrics = {"rmsd": 0.5, "rmsd_heavy": 0.3, "decode_rmsd": 0.9, "decode_rmsd_heavy": 0.7}
    assert decoders.table([record(row, metrics)]).rows[0][3:7] == ("0.5", "0.3", "0.9", "0.7")


def test_loop_table_has_potential_and_simulation() -> None:
    unit = EV_PER_KCAL_MOL**2
    row = Row("schnet", "alanine-dipeptide/backbone", "forces")
    found = record(
        row, {"force_mse": 400 * unit, "noise_floor": 380 * unit, "stability": 1, "fes_rmsd_floor": 0.3},
        **{"prior-only": {"force_mse": 500 * unit}},
    )  # fmt: skip
    found["metrics"]["fes_rmsd"] = {"value": 0.8, "unit": "kT", "error": 0.05}
    found["metrics"]["speed_up"] = {"value": None, "unit": "1"}
    assert [value for _, value in shown(loop.table([found]))] == [
        "backbone", "schnet", "400", "500", "380", "1", "0.8 ± 0.05", "0.3", "–", "–",
    ]  # fmt: skip


def test_cells() -> None:
    row = Row("m", "d")
    records = [record(row, {"a": 1.0}, b={"a": 5.0}), record(row, {"a": 2.0}), failed(row)]
    records[1]["metrics"]["a"]["value"] = None
    assert values(records, "a") == [1.0] and values(records, "a", "b") == [5.0]
    assert mean_cell(records, "a", factor=3) == "3" and mean_cell(records, "z") == number(None) == "–"


# --- the published recipe ----------------------------------------------------------------------------


def two_lumps(frames: int = 200) -> torch.Tensor:
    """Six particles in two lumps that move apart: two beads say all but 0.05 σ of it."""
    g = torch.Generator().manual_seed(0)
    lumps = torch.randn(frames, 2, 3, generator=g).repeat_interleave(3, 1)
    return lumps + 0.05 * torch.randn(frames, 6, 3, generator=g)


def test_recipe_learns_the_lumps() -> None:
    """One bead for each lump, and an error far below the 0.5 σ² of a decoder that gives the centre."""
    x = two_lumps()
    seen: list[int] = []
    recipe = Recipe(lr=0.05, tau=lambda share: 2.0 * (1 - share) + 0.1)
    model = train_plain(x, None, 2, 300, 0, recipe, watch=lambda step, _: seen.append(step))
    assert seen == list(range(5, 301, 5))
    assert model.error(x) < 0.02
    assert model.hard().tolist() in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])


def test_temperature_follows_the_share_of_training_and_stays_1_in_the_published_recipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taus: list[float] = []
    draw = torch.nn.functional.gumbel_softmax

    def watched(logits: torch.Tensor, tau: float, dim: int) -> torch.Tensor:
        taus.append(tau)
        return draw(logits, tau, dim=dim)

    monkeypatch.setattr(torch.nn.functional, "gumbel_softmax", watched)
    train_plain(two_lumps(80), None, 2, 4, 0, Recipe())
    train_plain(two_lumps(80), None, 2, 4, 0, Recipe(tau=lambda share: 4 - share))
    assert taus == [1.0] * 4 + [4.0, 3.75, 3.5, 3.25]


def test_error_and_hard_map_by_hand() -> None:
    """Beads {0, 1} and {2}, the third unused; bead to particles by the weights given."""
    model = PlainAutoencoder(3, 3)
    with torch.no_grad():
        model.assign.copy_(torch.tensor([[2.0, 0, 1], [2.0, 0, 1], [0, 5.0, 4]]))
        model.decode.copy_(torch.tensor([[1.0, 0.5, 0], [0, 0, 1.0], [9.0, 9.0, 9.0]]))
    assert model.hard().tolist() == [0, 0, 1]
    x = torch.tensor([[[1.0, 0, 0], [3.0, 0, 0], [-4.0, 0, 0]]])  # centred; beads 2 and −4
    back = np.array([2.0, 1.0, -4.0])
    assert model.error(x + 7) == pytest.approx(np.square(back - [1, 3, -4]).sum() / 9, rel=1e-5)


def test_force_term_is_the_projected_force() -> None:
    """B = (C Cᵀ)⁻¹ C: of hard groups with equal weights the sum of their forces."""
    model = PlainAutoencoder(6, 2)
    with torch.no_grad():
        model.assign.copy_(1e3 * torch.eye(2).repeat_interleave(3, 0))  # hard, whatever the noise
    x, f = two_lumps(10), torch.randn(10, 6, 3, generator=torch.Generator().manual_seed(1))
    plain, forced = (model.loss(x, f, Recipe(force_weight=w)).item() for w in (0.0, 0.5))
    sums = torch.stack([f[:, :3].sum(1), f[:, 3:].sum(1)], 1)
    assert forced - plain == pytest.approx(0.5 * sums.square().sum(2).mean().item(), rel=1e-4)


def test_records_of_the_recipe_are_kept_and_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int, int]] = []

    def train(x: torch.Tensor, forces: None, beads: int, steps: int, seed: int, recipe: Recipe) -> Any:
        calls.append((beads, steps, seed))
        torch.manual_seed(seed)
        return PlainAutoencoder(x.shape[1], beads)

    monkeypatch.setattr(rings, "train_plain", train)
    monkeypatch.setattr(rings, "SETS", ("langevin-eq",))
    monkeypatch.setattr(rings, "BEADS", (6, 12))
    first = rings.published(True, 2, tmp_path / "new")
    frames = len(open_dataset("ring-polymer/langevin-eq").split("train"))
    steps = 30 * -(-frames // 40)
    assert calls == [(6, steps, 0), (6, steps, 1), (12, steps, 0), (12, steps, 1)]
    assert rings.published(True, 2, tmp_path / "new") == first and len(calls) == 4
    next((tmp_path / "new").glob("*-12-beads-*seed1.json")).unlink()
    assert rings.published(True, 2, tmp_path / "new") == first and calls[4:] == [(12, steps, 1)]
    rings.published(False, 1, tmp_path / "new")  # of other steps, so not the same records
    assert calls[5:] == [(6, 20 * steps, 0), (12, 20 * steps, 0)]


# --- speed -------------------------------------------------------------------------------------------


def test_speed_of_the_autoencoder(tmp_path: Path) -> None:
    size = autoencoder.Size((("aniline", 4),), assignments=3, steps=3, repeats=2)
    assert "autoencoder" in [name for name, *_ in PARTS]
    found = speed(Options(tmp_path), (("autoencoder", autoencoder.autoencoder, size),))
    assert found.failures == [] and [t.title for t in found.tables][1] == "Coarse-graining autoencoder"
    ways = {r["way"]: r for r in found.records}
    assert list(ways) == ["plain PyTorch", "zoo", "zoo, 3 assignments side by side"]
    frames = len(open_dataset("aniline").split("train"))
    assert [r["frames_a_step"] for r in ways.values()] == [40, frames, frames]
    for way, assignments in zip(ways.values(), (1, 1, 3), strict=True):
        assert way["rate_median"] * way["seconds_median"] == pytest.approx(3 * assignments)
    base = ways["plain PyTorch"]["rate_median"]
    shown_ = [float(row[4].removesuffix(" ×")) for row in found.tables[1].rows]
    assert shown_ == pytest.approx([r["rate_median"] / base for r in ways.values()], abs=0.006)


@pytest.mark.parametrize("which", ["plain", "ours"])
def test_what_is_timed_trains(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work of no effect would be quick: all parameters move in each repeat."""
    data = open_dataset("aniline")
    train = data.split("train")
    x, f = (torch.from_numpy(train.array(k)[:80]) for k in ("positions", "forces"))
    made: list[torch.optim.Optimizer] = []
    adam = torch.optim.Adam
    monkeypatch.setattr(torch.optim, "Adam", lambda p, **k: made.append(adam(p, **k)) or made[-1])
    works: dict[str, Callable[[], Callable[[], None]]] = {
        "plain": lambda: autoencoder._plain(x, f, 4, 5, "cpu"),
        "ours": lambda: autoencoder._ours(data, x, f, 4, 2, 5, "cpu"),
    }
    work = works[which]()
    for _ in range(2):
        before = [p.detach().clone() for group in made[0].param_groups for p in group["params"]]
        work()
        after = [p for group in made[0].param_groups for p in group["params"]]
        assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
