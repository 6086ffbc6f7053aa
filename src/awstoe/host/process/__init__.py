"""Child processes: start, supervise, stop; signals, exit codes and environment variables."""
