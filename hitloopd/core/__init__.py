"""Values and laws: time, patterns, energy, routes, commands and notices. Knows no thread, no clock and no I/O."""
