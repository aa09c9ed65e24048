"""Asking a name server: a request, signed where there is a key, and the reply that is to be believed."""
