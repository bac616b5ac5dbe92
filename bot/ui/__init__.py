"""Views, built from plain values: what the bot shows in Slack, within the limits of Block Kit."""
