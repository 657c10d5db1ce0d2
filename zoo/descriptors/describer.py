"""From the neighbours of each particle to its descriptors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from zoo.descriptors import bond_order, densities, scales, voronoi
from zoo.descriptors.local_energy import LocalEnergy
from zoo.descriptors.operators import Mean, Operator, Operators
from zoo.descriptors.settings import DescriptorSettings
from zoo.descriptors.surroundings import Surroundings, blocks
from zoo.errors import ConfigError

#: Name of a family's columns, and what computes them, `[nodes, columns]`.
Family = tuple[list[str], Callable[[Surroundings], Tensor]]


class Describer:
    """Computes the descriptors that the settings name, in float64; nothing is learned.

    In two steps, so that a large system can be described tile by tile: `local` looks at the edges that
    end at a particle, `spread` at the local descriptors of those around it, near or far.

    Args:
        settings: which ones.
        species: number of species.
        potential: ε, σ `[species, species]`, cutoff in σ and tail of the pair potential, as in a
            system's parameters; None where it is not known.

    Attributes:
        cutoff: edges up to here are looked at.
        base_names: of each column of `local`.
        names: of each column of `spread`.

    Raises:
        ConfigError: the energy is asked for, and there is no potential; nothing is asked for.
    """

    cutoff: float
    base_names: list[str]
    names: list[str]

    def __init__(
        self, settings: DescriptorSettings, species: int, potential: Mapping[str, Any] | None = None
    ) -> None:
        self.settings, self.species, self.potential = settings, species, potential
        if settings.energy and potential is None:
            raise ConfigError("the dataset names no pair potential; set descriptors.energy=false")
        reaches = [0.0]
        self._families: list[Family] = []
        if settings.radial:
            centers = settings.centers()
            self._families.append((
                [f"density of {s} at {c:.2f}" for s in range(species) for c in centers], self._radial
            ))  # fmt: skip
            reaches.append(centers[-1] + densities.REACH * settings.width)
        if settings.orders:
            degrees = range(1, settings.orders + 1)
            self._families.append((
                [f"order {order} at {c:.2f}" for c in settings.order_shells for order in degrees], self._order
            ))  # fmt: skip
            reaches.append(max(settings.order_shells) + bond_order.REACH * settings.order_width)
        self.has_energy = potential is not None and settings.energy is not False
        if potential is not None and self.has_energy:
            energy = LocalEnergy(potential)
            self._families.append((["energy"], energy))
            reaches.append(energy.cutoff)
        if settings.offset:  # known to the graph alone; see `zoo.models.described`
            self._families.append(
                (["offset"], lambda around: torch.zeros(around.nodes, 1, dtype=torch.float64))
            )
        if settings.voronoi:
            self._families.append(([f"cell's {what}" for what in voronoi.MEASURES], self._voronoi))
            reaches.append(settings.voronoi_range)
        self.base_names = [name for names, _ in self._families for name in names]
        self.names = self._spread_names()
        if not self.names:
            raise ConfigError("the descriptors' settings name none; set descriptors.radial=true")
        reaches += [settings.average_range] if self.averages else []
        reaches += [settings.diffusion_range] if self.diffuses else []
        reaches += [settings.scale_range] if settings.scales else []
        self.cutoff = max(reaches)

    def __call__(self, kind: Tensor, edge_index: Tensor, vectors: Tensor) -> Tensor:
        """Return `[nodes, len(names)]` float64.

        Args:
            kind: `[nodes]` species 0 … species − 1.
            edge_index: `[2, E]`, row 0 sends, row 1 receives; longer ones than `cutoff` do not count.
            vectors: `[E, 3]` from sender to receiver.
        """
        base = self.local(kind, edge_index, vectors)
        means = self.operators(edge_index, vectors, len(kind))
        return self.spread(base, kind, means.averaging, means.diffusion, means.scales)

    def local(self, kind: Tensor, edge_index: Tensor, vectors: Tensor) -> Tensor:
        """Return `[nodes, len(base_names)]` of the edges that each particle receives; see `__call__`."""
        parts = [
            torch.cat([compute(around) for _, compute in self._families], dim=1)
            for around in blocks(kind, edge_index, vectors, self.cutoff)
            if self._families
        ]
        if not parts:
            return torch.zeros(len(kind), len(self.base_names), dtype=torch.float64, device=kind.device)
        return torch.cat(parts)

    def operators(self, edge_index: Tensor, vectors: Tensor, nodes: int) -> Operators:
        """Return the means over neighbours that the settings ask for; see `__call__`."""
        chosen, r = self.settings, vectors.double().norm(dim=1)

        def mean(decay: float, reach: float, fade: bool = False) -> Operator:
            return Operator.exponential(edge_index, r, nodes, decay, reach, fade=fade)

        return Operators(
            mean(chosen.average_range, chosen.average_range) if self.averages else None,
            mean(chosen.diffusion_decay, chosen.diffusion_range) if self.diffuses else None,
            tuple(mean(scale, chosen.scale_range, fade=True) for scale in chosen.scales),
        )

    def spread(
        self,
        base: Tensor,
        kind: Tensor,
        averaging: Mean | None,
        diffusion: Mean | None,
        means: tuple[Mean, ...] = (),
    ) -> Tensor:
        """Return `[nodes, len(names)]`: `base`, its averages, diffused fields, fields at each scale.

        Averaged n times: the mean with weights exp(−r/r_c), r < r_c, of what is averaged n − 1 times,
        the particle itself included (Boattini et al. 2021, eq. 5). Diffused k times: the same with the
        weights of diffusion, of the indicator of each species but the last, and of the energy of each.

        Args:
            base: `[nodes, len(base_names)]`, of `local`.
            kind: `[nodes]` species.
            averaging, diffusion, means: what `operators` returns; anything with `@` will do.
        """
        out = [base]
        if averaging is not None:
            for _ in range(self.settings.averages):
                out.append(averaging @ out[-1])
        if diffusion is not None:
            fields, done = self._fields(base, kind), 0
            for steps in sorted(set(self.settings.diffused)):
                for _ in range(steps - done):
                    fields = diffusion @ fields
                out.append(fields)
                done = steps
        measured = base[:, self._measured]
        out += [scales.at_scale(measured, kind, self.species, mean) for mean in means]
        return torch.cat(out, dim=1)

    # --- what the settings ask for -----------------------------------------------------------

    @property
    def averages(self) -> bool:
        """Whether `spread` averages."""
        return bool(self.base_names) and self.settings.averages > 0

    @property
    def diffuses(self) -> bool:
        """Whether `spread` lets fields diffuse."""
        return bool(self.settings.diffused) and (self.species > 1 or self.has_energy)

    @property
    def _measured(self) -> list[int]:
        """Columns of `local` whose mean and variance is taken at each scale."""
        return [k for k, name in enumerate(self.base_names) if name in ("energy", "cell's surface")]

    def _fields(self, base: Tensor, kind: Tensor) -> Tensor:
        """What diffuses, `[nodes, fields]`."""
        own = torch.nn.functional.one_hot(kind, self.species).double()
        if not self.has_energy:
            return own[:, :-1]
        return torch.cat([own[:, :-1], own * base[:, self.base_names.index("energy"), None]], dim=1)

    def _spread_names(self) -> list[str]:
        names = list(self.base_names)
        for times in range(1, self.settings.averages + 1):
            names += [f"{name}, averaged {times}×" for name in self.base_names]
        fields = [f"share of {s}" for s in range(self.species - 1)]
        fields += [f"energy of {s}" for s in range(self.species) if self.has_energy]
        for steps in sorted(set(self.settings.diffused)):
            names += [f"{name}, diffused {steps}×" for name in fields]
        measured = [self.base_names[k] for k in self._measured]
        for scale in self.settings.scales:
            names += [f"{name}, scale {scale:g}" for name in scales.names(measured, self.species)]
        return names

    # --- the families ------------------------------------------------------------------------

    def _radial(self, around: Surroundings) -> Tensor:
        centers = torch.tensor(self.settings.centers(), dtype=torch.float64, device=around.r.device)
        return densities.radial_densities(around, self.species, centers, self.settings.width)

    def _order(self, around: Surroundings) -> Tensor:
        shells = torch.tensor(self.settings.order_shells, dtype=torch.float64, device=around.r.device)
        return bond_order.bond_order(around, self.settings.orders, shells, self.settings.order_width)

    def _voronoi(self, around: Surroundings) -> Tensor:
        return voronoi.voronoi(around, self.settings.voronoi_range)
