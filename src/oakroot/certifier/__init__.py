"""The role that turns certificate requests found in DNS into certificates."""
