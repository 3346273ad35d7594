"""The server package's command: the start-up check, the shard agent, the transaction hook."""
