"""The interpreters that freeze the targets' executables, and how the build machine runs them."""
