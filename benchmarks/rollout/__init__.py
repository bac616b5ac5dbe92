"""A promotion, a bad model and the way back, rehearsed on this machine by the very commands that do it in AWS."""
