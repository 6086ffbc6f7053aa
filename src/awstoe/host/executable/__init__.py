"""The executable that this process runs: frozen or not, its lock, its replacement."""
