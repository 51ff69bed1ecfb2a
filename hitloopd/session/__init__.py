"""The user's pattern: a pure reducer with history, locks, edits and energy, and its journal. Knows core only."""
