"""A stand-in for Slack: workspace, Web API, signed deliveries and a browser page, all on 127.0.0.1.

It knows nothing of the bot, so whatever talks to Slack can be tried against it.
"""
