"""Where a structure comes from: a file, a PDB code, or the package."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from zoo.data.catalog import cache_folder
from zoo.data.fetch import RemoteFile, download
from zoo.errors import DataError

#: Where the Protein Data Bank's files are; a test puts a server of its own here.
RCSB = "https://files.rcsb.org/download"

#: Chignolin CLN025, PDB 5AWL (Honda et al., J. Am. Chem. Soc. 130, 15327 (2008)), heavy atoms.
CHIGNOLIN = "chignolin.pdb"
_CODE = re.compile(r"[0-9][A-Za-z0-9]{3}")


def structure_path(structure: str | None) -> Path:
    """Return the file of a structure: None is the packaged chignolin, else a file or a PDB code.

    Raises:
        DataError: there is no such file and the text is no PDB code, or it cannot be fetched.
    """
    if structure is None:
        return Path(str(files("zoo.datasets.protein") / CHIGNOLIN))
    path = Path(structure).expanduser()
    if path.is_file():
        return path
    if _CODE.fullmatch(structure):
        return fetch_structure(structure)
    raise DataError(f"no structure file at {structure}; give a PDB or mmCIF file, or a PDB code such as 4INS")


def fetch_structure(code: str) -> Path:
    """Return the mmCIF file of a PDB code, from the cache or fetched from the RCSB.

    The RCSB publishes no checksums: that of the first download is kept, and files in the cache are
    compared with it. Raises `DataError` where there is no connection or no such entry.
    """
    name = f"{code.upper()}.cif"
    return download(RemoteFile(f"{RCSB}/{name}", name), cache_folder() / "structures")
