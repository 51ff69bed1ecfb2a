"""How well songs are transcribed: the judged songs, their truth, the measures, the page."""
