"""Build the archive of each Lambda function: what its handler imports, and no more.

The same sources, lock file and model give the same bytes, so a deployment without changes uploads nothing. boto3 is
included although Lambda provides it: that copy changes without notice, and what was tested should be what runs.
"""
