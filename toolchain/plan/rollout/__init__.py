"""How a fleet goes from where it is to a release: the least number of waves, and why no fewer."""
