"""A stand-in for Slack: workspace, Web API, signed requests to the app and a browser page, all on 127.0.0.1.

It shares no code with the bot, so any Slack app can run against it.
"""
