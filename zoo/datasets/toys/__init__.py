"""What the toy targets DW4 and LJ13 share: how they are sampled, written and checked."""
