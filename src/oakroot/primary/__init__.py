"""The primary: zones of a git repository, served. `core` decides, `service` does."""
