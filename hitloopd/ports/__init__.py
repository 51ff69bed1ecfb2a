"""What the rooms need from each other, as Protocols. Knows core only."""
