"""S3Upload: upload files to Amazon S3.

- One file goes to the object `destination`. With `*` in the last part of `source`, the files that
  match go under the key prefix `destination`; with `recurse`, sub-folders, too.
- With `expectedBucketOwner` a bucket of any other account is refused.
- What was uploaded before a failure stays in the bucket.
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
    """What S3Upload is given."""

    source: Annotated[str, LocalPath("What to upload; * in its last part.", wildcard=True)]
    destination: Annotated[
        str, Pattern("The object, or the key prefix.", S3_URI, "an s3://bucket/key URI")
    ]
    recurse: Annotated[bool, Boolean("Whether sub-folders are uploaded, too.")] = False
    expected_bucket_owner: Annotated[
        str | None,
        Pattern(
            "The account that has to own the bucket.",
            ACCOUNT_ID,
            "an AWS account id of 12 digits",
            name="expectedBucketOwner",
        ),
    ] = None
