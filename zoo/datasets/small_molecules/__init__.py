"""What ortho-terphenyl and aniline share: a force field, how they are simulated, checks."""
