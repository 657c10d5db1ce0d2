"""Building blocks that the flows share."""
