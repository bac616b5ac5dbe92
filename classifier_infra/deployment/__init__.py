"""The steps of installation and removal that `serverless deploy` and `serverless remove` do not do."""
