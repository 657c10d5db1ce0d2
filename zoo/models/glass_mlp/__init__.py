"""A small network on coarse-grained descriptors: GlassMLP."""
