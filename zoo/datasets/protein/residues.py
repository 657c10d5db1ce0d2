"""The amino acids that the force field knows, and their names in files."""

from __future__ import annotations

#: The twenty, in alphabetical order of their three-letter codes: numbers of the types at Cα resolution.
AMINO_ACIDS = (
    "ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU", "GLY", "HIS", "ILE",
    "LEU", "LYS", "MET", "PHE", "PRO", "SER", "THR", "TRP", "TYR", "VAL",
)  # fmt: skip

#: Names that programs give to protonation states: the amino acid, and OpenMM's variant of it.
VARIANTS = {
    "HID": ("HIS", "HID"), "HSD": ("HIS", "HID"), "HIE": ("HIS", "HIE"), "HSE": ("HIS", "HIE"),
    "HIP": ("HIS", "HIP"), "HSP": ("HIS", "HIP"), "CYX": ("CYS", None), "ASH": ("ASP", "ASH"),
    "GLH": ("GLU", "GLH"), "LYN": ("LYS", "LYN"),
}  # fmt: skip

#: What modified residues come from, for the hint in the error.
PARENTS = {"MSE": "MET", "SEP": "SER", "TPO": "THR", "PTR": "TYR", "CSO": "CYS", "HYP": "PRO"}

WATER = ("HOH", "WAT", "DOD", "TIP", "TIP3", "SOL", "H2O")
