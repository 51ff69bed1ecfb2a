"""Data sets, training, evaluation and extraction. Never imported by hitloopd."""
