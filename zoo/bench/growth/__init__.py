"""A network that grows while it trains, beside the same one widened at random and networks of fixed width."""
