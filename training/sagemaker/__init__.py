"""`python -m training sagemaker`: BlazingText jobs on AWS, from the request and its price to the model that comes back.

Requests are built by pure functions and checked against tables before anything is created. `sdk` alone imports the
SageMaker SDK, which is an extra; buckets and logs are asked through boto3.
"""
