"""τα of a mixture: from its clones, against the table, without attraction, and whether it ages."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.analysis.averages import mean_and_error
from zoo.analysis.glass import overlap, relaxation_time, scattering
from zoo.data.entry import Check
from zoo.datasets.kob_andersen.mixtures import LJ, WCA, relaxation_table
from zoo.datasets.kob_andersen.subject import Subject

#: τα is where the overlap of A (0.3 σ) has fallen to 1/e. Which definition the table follows was
#: found here: in eight public files at T = 0.44 and t = 4120 the overlap is 0.366 ± 0.035.
DEFINITION = "overlap of A (0.3 σ) falls to 1/e"


def relaxation(subject: Subject) -> list[Check]:
    """τα from the clones, and whether the first and last configurations of a run relax alike."""
    times = np.array(subject.dataset.target_times)
    clones = subject.dataset.arrays[keys.CLONES]
    if len(times) != clones.shape[1]:
        return []
    a, dimensions = subject.types == 0, subject.mixture.dimensions
    run = np.asarray(subject.dataset.arrays[keys.RUN]) if subject.has(keys.RUN) else np.arange(len(clones))
    values = np.array([overlap(frame[..., a]).mean(-1) for frame in clones])  # [frames, times]
    waves = np.array([scattering(frame[..., a], dimensions=dimensions).mean(-1) for frame in clones])
    curve = ", ".join(f"Q({t:g}) = {v:.3f}" for t, v in zip(times, values.mean(0), strict=True))
    out = []
    tau = relaxation_time(times, values.mean(0))
    if tau is not None:
        out.append(_against_table(subject, times, values, run, tau, curve))
    else:
        out += _at_tabulated(subject, times, values, run)
    wave = relaxation_time(times, waves.mean(0))
    if wave is not None:
        out.append(
            Check(
                "F_s(k = 2π/σ) of A falls to 1/e", "for information", "clones", wave, unit="τ",
                note="another usual definition of τα",
            )
        )  # fmt: skip
    out += [*_against_attraction(subject, tau), *_elsewhere(subject)]
    change = [_later_minus_earlier(values[run == k, -1]) for k in np.unique(run) if (run == k).sum() > 1]
    if len(change) > 1:
        mean, error = mean_and_error(np.array(change), np.arange(len(change)))
        out.append(
            Check(
                f"overlap at {times[-1]:g} τ, later minus earlier half of each run",
                "0 within 3 standard errors",
                "no ageing",
                mean,
                error=error,
                ok=abs(mean) <= 3 * error,
            )
        )
    return out


def _against_table(
    subject: Subject, times: np.ndarray, values: np.ndarray, run: np.ndarray, tau: float, curve: str
) -> Check:
    """τα with its error: that of the overlap at τα, over the slope there."""
    at = np.array([np.interp(np.log(tau), np.log(times), v) for v in values])
    error = None
    if len(at) > 1:
        slope = np.gradient(values.mean(0), np.log(times))
        error = tau * mean_and_error(at, run)[1] / float(abs(np.interp(np.log(tau), np.log(times), slope)))
    known = subject.mixture.relaxation_times().get(round(subject.dataset.temperature or 0.0, 3))
    name = f"τα: {DEFINITION}"
    if known is None:
        return Check(name, "for information: not in the table", "clones", tau, "τ", error, note=curve)
    row = next(r for r in relaxation_table() if r["tau"] == known)
    theirs = row.get("error", 0.0)
    return Check(
        name,
        # 15 %: two digits in the table, whose own definition is not told; and three standard errors.
        f"{known:g} ± 15 %" + (f", known to {theirs:g}" if theirs else ""),
        row["source"] + (", another run of this entry" if theirs else ""),
        tau,
        unit="τ",
        error=error,
        ok=abs(tau - known) < 0.15 * known + 3 * float(np.hypot(error or 0, theirs)),
        note=curve,
    )


def _at_tabulated(subject: Subject, times: np.ndarray, values: np.ndarray, run: np.ndarray) -> list[Check]:
    """The overlap at the table's τα, where the times do not reach from one side of 1/e to the other."""
    known = subject.mixture.relaxation_times().get(round(subject.dataset.temperature or 0.0, 3))
    if known is None or len(values) < 2:
        return []
    there = np.flatnonzero(np.abs(times / known - 1) < 0.02)
    if not there.size:
        return []
    mean, error = mean_and_error(values[:, there[0]], run)
    return [
        Check(
            f"overlap of A (0.3 σ) at the tabulated τα = {known:g} τ",
            # A relaxation 15 % faster or slower moves it by 0.04.
            "0.368 ± 0.04",
            "1/e",
            mean,
            error=error,
            ok=abs(mean - np.exp(-1)) < 0.04 + 3 * error,
        )
    ]


def _against_attraction(subject: Subject, tau: float | None) -> list[Check]:
    """The repulsive mixture beside the attractive one at the same temperature and density."""
    known = LJ.relaxation_times().get(round(subject.dataset.temperature or 0.0, 3))
    if subject.mixture is not WCA or tau is None or known is None:
        return []
    return [
        Check(
            f"τα over that with attraction ({known:g} τ)",
            "< 1",
            "without attraction it relaxes faster: Berthier, Tarjus, Phys. Rev. Lett. 103, 170601 (2009)",
            tau / known,
            ok=tau < known,
        )
    ]


def _elsewhere(subject: Subject) -> list[Check]:
    """τα at other temperatures, measured once with this entry; kept in `relaxation.json`."""
    if not subject.made_here:
        return []
    variant = subject.mixture.variant or "lj"
    known = subject.mixture.relaxation_times()
    out = []
    for row in relaxation_table():
        if row["variant"] != variant or "command" not in row or row["temperature"] not in known:
            continue
        if row["temperature"] == subject.dataset.temperature or row.get("use", True):
            continue
        tau = known[row["temperature"]]
        out.append(
            Check(
                f"τα at T = {row['temperature']:g}",
                f"{tau:g} ± 15 %",
                "GlassBench",
                row["tau"],
                unit="τ",
                error=row["error"],
                ok=abs(row["tau"] - tau) < 0.15 * tau + 3 * row["error"],
                note=f"measured on {row['date']} by `{row['command']}`, {row['engine']}",
            )
        )
    return out


def _later_minus_earlier(values: np.ndarray) -> float:
    half = len(values) // 2
    return float(values[half:].mean() - values[:half].mean())
