"""Steps that read a fleet: from an inventory file, or from the ledgers of its shards."""
