"""Runs under Wine: starts a program and writes its full exit code, which Linux cuts, to a file.

The argument is a JSON file with ``command``, ``folder``, ``environment`` (variables to change; null
removes one) and ``result``, the file for the exit code.
"""

import json
import os
import subprocess
import sys

with open(sys.argv[1], encoding="utf-8") as stream:
    job = json.load(stream)
environment = {**os.environ, **job["environment"]}
ended = subprocess.run(
    job["command"],
    cwd=job["folder"],
    env={name: value for name, value in environment.items() if value is not None},
    check=False,
)
with open(job["result"], "w", encoding="utf-8") as stream:
    stream.write(str(ended.returncode & 0xFFFFFFFF))
