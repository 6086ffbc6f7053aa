"""A release rehearsed on this machine: an S3-speaking server, throw-away keys, all real steps."""
