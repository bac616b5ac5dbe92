"""Builds the archives that the Lambda functions run from, one a function: what its handler imports, and no more.

    python -m classifier_infra.packaging --out build/lambda

The same sources, lock file and model give the same bytes, so a deployment that changes nothing uploads nothing. boto3
is in them although Lambda has one: that one changes under us, and what was tested should be what runs.
"""
