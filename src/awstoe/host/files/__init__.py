"""Files and folders: paths, types, copies, atomic replacement, locks, temporary folders."""
