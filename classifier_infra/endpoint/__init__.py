"""Deploy, observe, change and delete the endpoint in AWS: what the commands of `classifier_infra.cli` share."""
