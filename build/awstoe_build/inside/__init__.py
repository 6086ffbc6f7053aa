"""Code that runs inside the frozen program before awstoe itself."""
