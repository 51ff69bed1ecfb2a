"""From a song to bars: separate, hear drums and bass, find the bar lines, write them as MIDI with their sources."""
