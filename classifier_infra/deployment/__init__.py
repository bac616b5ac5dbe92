"""Bring the system into an AWS account and take it out again: what `serverless deploy` does not do."""
