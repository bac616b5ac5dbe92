"""A BlazingText endpoint on this machine: SageMaker Runtime's front door and the container behind it."""
