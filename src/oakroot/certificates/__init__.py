"""Certificates through DNS: requests and certificates as records, ACME orders, the certifier."""
