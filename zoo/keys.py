"""Every key of a batch and every array of a dataset, with shape, dtype and unit.

Units are those of the dataset's unit system (`zoo.units`): Å and eV, or σ and ε.
Names follow torch-geometric where it has one (`pos`, `z`, `edge_index`, `batch`).
"""

# --- keys of a graph or of a batch of graphs (torch tensors) ---------------------------------
POS = "pos"  # [nodes, 3] float32; positions, wrapped or not
Z = "z"  # [nodes] int64; atomic number (molecules) or species index from 0 (particle systems)
BATCH = "batch"  # [nodes] int64; graph of each node, ascending
PTR = "ptr"  # [graphs + 1] int64; first node of each graph
CELL = "cell"  # [graphs, 3, 3] float32; rows are lattice vectors; absent where nothing is periodic
EDGE_INDEX = "edge_index"  # [2, edges] int64; row 0 sends, row 1 receives; sorted by receiver
EDGE_SHIFT = "edge_shift"  # [edges, 3] float32; see `edge_vectors`; absent where nothing is periodic
EDGE_PAIR = "edge_pair"  # [edges] int64; number of the undirected pair an edge belongs to
PAIR_EDGE = "pair_edge"  # [pairs] int64; one edge of each undirected pair
FRAME = "frame"  # [graphs] int64; index of the frame in its dataset
ENERGY = "energy"  # [graphs] float32; potential energy
FORCES = "forces"  # [nodes, 3] float32; conservative forces, −∂U/∂pos
LOCAL_ENERGY = "local_energy"  # [nodes] float32; potential energy of each particle, where it was averaged
OFFSET = "offset"  # [nodes] float32; distance from where the configuration has it; length
DESCRIPTORS = "descriptors"  # [nodes, descriptors] float32; of `zoo.descriptors`, made by the loader
EDGE_TARGETS = "edge_targets"  # [edges, targets] float32; mean change of their length; NaN: not known
TARGETS = "targets"  # [nodes, targets] float32; per-particle targets, e.g. propensities (length)

# The vector of an edge points from its sender to its receiver:
#     r = pos[edge_index[1]] − pos[edge_index[0]] + edge_shift

# --- arrays of a dataset (numpy, memory-mapped) ----------------------------------------------
POSITIONS = "positions"  # [frames, particles, 3] float32 or float64
VELOCITIES = "velocities"  # [frames, particles, 3]; length/time
ENERGIES = "energies"  # [frames] float64
CELLS = "cell"  # [frames, 3, 3] float64
RUN = "run"  # [frames] int32; number of the independent run that a frame comes from
TIME = "time"  # [frames] float64; time within its run
WEIGHTS = "weights"  # [frames] float64; relative weight of each frame in averages of equilibrium
INHERENT = "positions_inherent"  # [frames, particles, 3]; energy minimum reached from the frame
CAGE = "positions_cage"  # [frames, particles, 3]; mean position while no particle rearranges
AVERAGED = "positions_averaged"  # [frames, particles, 4]; means over short runs: place, local energy
P_HOP = "p_hop"  # [frames, particles] float32; how far each jumps at the frame's moment, length²
REARRANGES = "rearranges"  # [frames, particles] int8; 1 jumps now, 0 rests for long, −1 neither
CLONES = "clone_displacements"  # [frames, targets, clones, particles] float16; |Δr| of each clone
PAIRS = "pairs"  # [frames, most pairs, 2] int32; i < j that were neighbours; −1 behind the last one
PAIR_CHANGES = "pair_changes"  # [frames, most pairs, targets] float16; mean change of their distance, length
PUBLISHED = "published_"  # [frames, particles, times] float32; and a method's name: its own predictions
# `forces` [frames, particles, 3] and `targets` [frames, particles, targets] keep their names.
