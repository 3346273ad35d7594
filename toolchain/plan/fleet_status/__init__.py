"""A fleet as its shards' ledgers show it at one moment, and what follows from that."""
