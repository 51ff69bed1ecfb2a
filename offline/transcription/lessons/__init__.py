"""Pieces of music whose every note is known, for the networks that hear to learn from."""
