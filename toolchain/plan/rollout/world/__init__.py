"""What is given: a product's chain of releases, what shards can be, a fleet as it stands."""
