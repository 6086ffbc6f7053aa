"""awstoe: runs AWSTOE component documents."""

__version__ = "0.1.0"
