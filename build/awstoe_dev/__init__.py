"""The tooling behind the Makefile: the environment, the lock, the generated pages."""
