"""The entry point of the classification API's Lambda function."""
