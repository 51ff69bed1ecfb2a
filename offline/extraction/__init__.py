"""Playable samples out of recordings: find them, cut them, choose among them, say where each is from.

Conventions: sound is mono ``float32 [frames]`` at ``RATE`` unless a name says otherwise; times are seconds from the
start of the recording; a *lane* is one of the five of hitloopd, a *class* one of ten kinds of one-shots.
"""
