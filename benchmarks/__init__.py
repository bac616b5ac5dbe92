"""Measurements against peers, each in one run with them on one machine."""
