"""Judging generators: measures, two-sample tests, a calibrated gate, one table and one page."""
