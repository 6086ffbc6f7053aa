"""One process's part of a run: from the request to its folders, its engine and its result."""
