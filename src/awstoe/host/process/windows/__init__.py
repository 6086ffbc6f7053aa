"""The Windows half of child processes: job objects, pipes, console signals."""
