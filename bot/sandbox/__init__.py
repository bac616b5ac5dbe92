"""The whole system on one machine: the Lambda handlers as they are, between stand-ins for what surrounds them."""
