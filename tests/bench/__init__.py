"""`make bench`: compares awstoe's speed and memory with those of other programs."""
