"""Generators: everything that answers a request with a pattern. Knows core and ports only."""
