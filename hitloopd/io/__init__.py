"""Adapters to the outside: MIDI ports, JACK, audio devices, capture files, real-time rights. Knows core and ports."""
