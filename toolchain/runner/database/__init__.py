"""The database package's command, one file for each thing that it does with the shards."""
