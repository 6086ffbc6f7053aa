"""The interpreter that freezes a target's file, and how it is run on the build machine."""
