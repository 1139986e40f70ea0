"""Many searches: a grid of settings, run side by side or on a cluster, into one table."""
