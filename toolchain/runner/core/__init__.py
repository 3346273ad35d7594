"""What both commands stand on: the law, the shards file, sessions, failures."""
