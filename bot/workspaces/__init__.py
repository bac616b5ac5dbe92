"""Installing the bot in a workspace: pages, states, Slack's OAuth, and the way through them."""
