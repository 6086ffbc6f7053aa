"""S3Download: download objects from Amazon S3.

- A `source` that ends in `/*` takes every object under the prefix, sub-folders included, into the
  folder `destination`, keeping relative paths. Any other source is one object, and `destination`
  names the file.
- The destination's folder has to exist; folders below a prefix download's destination are made.
- With `overwrite: false` an existing file is an error.
- With `expectedBucketOwner` a bucket of any other account is refused.
- Keys that would leave the destination (`..`, absolute paths, drive letters) are refused.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.fields import ACCOUNT_ID, S3_URI, Boolean, LocalPath, Pattern

EXAMPLE = """\
- source: s3://amzn-s3-demo-bucket/packages/app.rpm
  destination: /tmp/app.rpm
  expectedBucketOwner: '111122223333'
- source: s3://amzn-s3-demo-bucket/config/*
  destination: /etc/app/
  overwrite: false
"""


class Inputs(NamedTuple):
    """What S3Download is given."""

    source: Annotated[
        str,
        Pattern("The object, or a prefix with /* at its end.", S3_URI, "an s3://bucket/key URI"),
    ]
    destination: Annotated[str, LocalPath("The file, or the folder for a prefix.")]
    expected_bucket_owner: Annotated[
        str | None,
        Pattern(
            "The account that has to own the bucket.",
            ACCOUNT_ID,
            "an AWS account id of 12 digits",
            name="expectedBucketOwner",
        ),
    ] = None
    overwrite: Annotated[bool, Boolean("Whether existing files are replaced.")] = True
