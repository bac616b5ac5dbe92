"""The endpoint in AWS, from its price to its deletion: `deploy`, `status`, `promote`, `rollback` and their like."""
