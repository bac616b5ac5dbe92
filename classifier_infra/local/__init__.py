"""A stand-in for a SageMaker BlazingText endpoint that runs on this machine."""
