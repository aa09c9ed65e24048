"""Images of one server, and what they are compared with: how large, how heavy, how fast, how open."""
