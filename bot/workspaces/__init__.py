"""Install the bot in workspaces through Slack's OAuth, and find each workspace's token."""
