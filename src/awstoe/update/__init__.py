"""Self-update: finds, verifies and installs releases."""
