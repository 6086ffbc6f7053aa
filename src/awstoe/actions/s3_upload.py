"""S3Upload: upload files to Amazon S3.

- One file goes to the object `destination`. With `*` in the last part of `source`, the files that
  match go under the key prefix `destination`; with `recurse`, those in subfolders too.
- With `expectedBucketOwner`, a bucket of another account is an error.
- Files that were uploaded before a failure stay in the bucket.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.fields import ACCOUNT_ID, S3_URI, Boolean, LocalPath, Pattern

EXAMPLE = """\
- source: /var/log/app/*
  destination: s3://amzn-s3-demo-bucket/logs/
  recurse: true
  expectedBucketOwner: '111122223333'
"""


class Inputs(NamedTuple):
    """The inputs of S3Upload."""

    source: Annotated[str, LocalPath("The file to upload; * in its last part.", wildcard=True)]
    destination: Annotated[
        str, Pattern("The object, or the key prefix.", S3_URI, "an s3://bucket/key URI")
    ]
    recurse: Annotated[bool, Boolean("Whether subfolders are uploaded too.")] = False
    expected_bucket_owner: Annotated[
        str | None,
        Pattern(
            "The account that has to own the bucket.",
            ACCOUNT_ID,
            "an AWS account ID with 12 digits",
            name="expectedBucketOwner",
        ),
    ] = None
