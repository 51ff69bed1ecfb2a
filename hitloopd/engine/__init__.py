"""The player and its parts, sans-I/O: stdlib only, no threads, no clock of its own. Knows core and ports only."""
