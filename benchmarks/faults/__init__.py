"""Fault injection: the whole system as separate processes, with a proxy in front of every service they call."""
