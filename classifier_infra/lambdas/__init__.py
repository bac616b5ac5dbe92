"""The entry point of the API's Lambda function: settings, clients, handler."""
