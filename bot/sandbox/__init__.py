"""The whole system on one machine: the real Lambda handlers between stand-ins for AWS and Slack."""
