"""Keys and signatures of releases: made here, verified by ``awstoe.trust``."""
