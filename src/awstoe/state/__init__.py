"""What a run has done so far, kept on disk so that it can go on."""
