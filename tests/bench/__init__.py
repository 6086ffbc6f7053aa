"""`make bench`: the program's speed and memory as ratios against named rivals, in one run."""
