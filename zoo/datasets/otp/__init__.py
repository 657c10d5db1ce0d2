"""ortho-Terphenyl, a molecule of three rings: two phenyls beside each other on a third."""
