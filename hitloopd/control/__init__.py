"""The doors for people: the address table, OSC, MIDI control. Turns bytes into commands and notices into bytes."""
