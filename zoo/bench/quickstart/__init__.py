"""Two graph networks and the baselines on two systems, in minutes on two cores."""
