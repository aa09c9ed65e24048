"""Keys: what a name grants, every notation of a key, keyrings, new keys. Pure: no file, socket or clock."""
