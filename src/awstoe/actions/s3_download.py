"""S3Download: download objects from Amazon S3.

- A `source` that ends in `/*` is a prefix: all its objects, including those in subfolders, go into
  the folder `destination` under their relative paths. Any other source is one object, and
  `destination` is the path of the file.
- The destination's folder has to exist; folders below the destination of a prefix are created.
- With `overwrite: false`, an existing file is an error.
- With `expectedBucketOwner`, a bucket of another account is an error.
- Keys that would leave the destination (`..`, absolute paths, drive letters) are errors.
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
    """The inputs of S3Download."""

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
            "an AWS account ID with 12 digits",
            name="expectedBucketOwner",
        ),
    ] = None
    overwrite: Annotated[bool, Boolean("Whether existing files are replaced.")] = True
