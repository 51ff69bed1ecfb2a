"""Bass transcribers, and what the network that hears basses is taught with."""
