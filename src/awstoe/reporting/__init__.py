"""From what the engine says to files, the terminal and the summary."""
