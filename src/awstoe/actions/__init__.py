"""The 30 action modules, one file each, and the table that names them."""
