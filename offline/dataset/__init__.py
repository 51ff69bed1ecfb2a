"""Data sets: MIDI files with their licences become bars of five lanes, with the source of every bar on record."""
