"""Separators: what tells drums and bass in a mix apart."""
