"""Drum transcribers, and what the network that hears drums is taught with."""
