"""The insulin monomer, 51 residues and three disulfide bonds, in implicit solvent."""
