"""The secondary: zones of other servers, kept fresh and served. `core` decides, `service` does."""
