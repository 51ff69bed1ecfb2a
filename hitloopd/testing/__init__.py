"""Fakes, traces and contracts for tests, shipped for plug-in authors. Knows core, ports and engine."""
