"""What a package brings and what a shard holds, read, compared, and written into its ledger."""
