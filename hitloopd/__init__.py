"""hitloopd: a live drum-and-bass-line pattern daemon.

The packages are the layers, top to bottom: ``app``; ``io``, ``control``, ``engine``, ``generate`` and ``session``
side by side; ``ports``; ``core``. Imports go down only.
"""

__version__ = "0.1.0"
