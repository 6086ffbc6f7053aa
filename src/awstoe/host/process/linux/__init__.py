"""The Linux half of child processes: fork and exec, pipes, process groups and sessions."""
