"""The built-in sounds, made by this project's own numpy code: recipes (tables), dsp (formulas), voices and a cache.

Conventions: sound is mono ``float32 [frames]`` between -1 and 1; times are seconds, frequencies Hz. Everything follows
from the recipe, the rate and the pitch: same recipe, same sound. Knows no kit, no file of the user and no clock.
"""
