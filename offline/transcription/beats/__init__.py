"""Beats and bar lines: how they are found, and what the network that senses beats is taught with."""
