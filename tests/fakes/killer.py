"""Kills updates at random moments, and checks what is left; see tests/unit/update.

``python -m fakes.killer FOLDER TRUST KILLS SEED`` is a process that loads everything once and forks
for each update, so that hundreds of updates take only seconds.
"""

import itertools
import os
import random
import signal
import sys
import time
from pathlib import Path

from fakes.installation import Installation


def update(installation: Installation, *options: str) -> int:
    """Start an update in a forked process, and return its ID."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        attempt = installation.update(*options)
        code = attempt.code
        if code:
            sys.stderr.write(attempt.stderr)
            sys.stderr.flush()
    finally:
        os._exit(code)


def code_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path, trust: Path, kills: int, seed: int) -> int:
    os.environ["PATH"] = str(folder)  # package managers would take most of an update's time
    choose = random.Random(seed)
    old = (folder / "bin/awstoe").read_bytes()
    new = (folder / "new").read_bytes()
    first = Installation(folder / "rounds/first", trust, old)
    begin = time.monotonic()
    assert code_of(update(first)) == 0
    longest = (time.monotonic() - begin) * 1.2
    killed = swapped = 0
    for number in itertools.count():
        if killed == kills:
            break
        installation = Installation(folder / f"rounds/{number}", trust, old)
        child = update(installation)
        time.sleep(choose.random() * longest)
        os.kill(child, signal.SIGKILL)
        if code_of(child) == -signal.SIGKILL:
            killed += 1
            longest *= 1.02
        else:  # it had ended: the machine is faster now than when the first one was timed
            longest *= 0.9
        left = installation.path.read_bytes()
        assert left in (old, new), f"round {number}: neither the old nor the new program"
        swapped += left == new
        installation.version = "1.1.0" if left == new else "1.0.0"
        assert installation.version_output() == f"awstoe {installation.version}"
        # A process that the killed one had just forked holds its lock until it executes a program.
        assert code_of(update(installation, "--wait")) == 0, f"round {number}: no recovery"
        assert installation.path.read_bytes() == new
        assert installation.version_output() == "awstoe 1.1.0"
        assert not (installation.bin / ".awstoe.update").exists(), f"round {number}: leftovers"
    sys.stdout.write(f"{killed} killed, {swapped} after the swap\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
