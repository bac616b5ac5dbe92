"""Entry points of the bot's Lambda functions: settings, clients, handler."""
