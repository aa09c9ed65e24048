"""Everything at once, for long: queries, updates, pushes, transfers, certificates, passing secondaries."""
