"""Rehearse promotions and rollbacks on this machine, with the commands that carry them out in AWS."""
