"""Writes the documents and scripts that the benchmark runs, ours and the rivals'."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

LINE_BYTES = 100


def steps(path: Path, count: int) -> Path:
    """Write a document of ``count`` echo steps."""
    step = (
        "      - name: Step{0}\n"
        "        action: ExecuteBash\n"
        "        inputs:\n"
        "          commands:\n"
        "            - echo 'line {0}'\n"
    )
    body = "".join(step.format(number) for number in range(count))
    return document(path, body)


def loop(path: Path, iterations: int) -> Path:
    """Write a document with one step, which compares strings ``iterations`` times."""
    return document(
        path,
        "      - name: Loop\n"
        "        action: Assert\n"
        f"        loop: {{for: {{start: 1, end: {iterations}, updateBy: 1}}}}\n"
        "        inputs: {stringEquals: same, value: same}\n",
    )


def script_step(path: Path, script: Path) -> Path:
    """Write a document with one step, which runs the commands of ``script``."""
    command = json.dumps(script.read_text())
    return document(
        path,
        "      - name: Print\n"
        "        action: ExecuteBash\n"
        f"        inputs: {{commands: [{command}]}}\n",
    )


def waiting(path: Path) -> Path:
    """Write a document with one step, which waits for a second."""
    return document(
        path,
        "      - name: Wait\n        action: ExecuteBash\n        inputs: {commands: [sleep 1]}\n",
    )


def ending_orphans(path: Path, times: Path) -> Path:
    """Write a document in which detached processes end, and a script waits until each is gone.

    They end while the step waits, while it floods its output, and during a step without a program.
    The script appends the time that each was still there to ``times``, in microseconds.
    """
    measure = (
        "measure() { for i in {1..30}; do pid=$(setsid sleep 600 > /dev/null 2>&1 & echo $!);"
        " sleep .02; start=${EPOCHREALTIME/./}; kill $pid;"
        " while kill -0 $pid 2> /dev/null; do :; done;"
        f" echo $((${{EPOCHREALTIME/./}} - start)) >> {times}; done; }}"
    )
    background = f"{measure}; measure; touch {times}.done"
    scripts = {
        "Waiting": f"{measure}; measure",
        "Flooding": f"{measure}; yes & measure; kill $!",
        "Start": f"setsid bash -c {shlex.quote(background)} > /dev/null 2>&1 &",
        "End": f"until [ -e {times}.done ]; do sleep .1; done",
    }
    steps = {
        name: f"      - name: {name}\n        action: ExecuteBash\n"
        f"        inputs: {{commands: [{json.dumps(script)}]}}\n"
        for name, script in scripts.items()
    }
    between = (
        "      - name: Between\n        action: Assert\n"
        "        loop: {for: {start: 1, end: 100000, updateBy: 1}}\n"
        "        inputs: {stringEquals: same, value: same}\n"
    )
    return document(
        path, steps["Waiting"] + steps["Flooding"] + steps["Start"] + between + steps["End"]
    )


def document(path: Path, body: str) -> Path:
    """Write a document with one phase, which has the steps in ``body``."""
    path.write_text(
        "name: Benchmark\nschemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n" + body
    )
    return path


def echo_script(path: Path) -> Path:
    """Write a script with the command of one echo step."""
    path.write_text("echo 'line 1'\n")
    return path


def printing_script(path: Path, size: int) -> Path:
    """Write a script that prints ``size`` bytes in lines of 100 bytes."""
    path.write_text(f"yes '{'x' * (LINE_BYTES - 1)}' | head -c {size}\n")
    return path


def playbook(path: Path, count: int) -> Path:
    """Write a playbook of ``count`` command tasks for ansible-playbook."""
    task = "    - name: Step{0}\n      ansible.builtin.command: echo 'line {0}'\n"
    head = "- hosts: localhost\n  gather_facts: false\n  tasks:\n"
    path.write_text(head + "".join(task.format(number) for number in range(count)))
    return path


def deploy(path: Path, count: int) -> Path:
    """Write a deploy of ``count`` shell operations for pyinfra."""
    path.write_text(
        "from pyinfra.operations import server\n"
        f"for number in range({count}):\n"
        "    server.shell(name=f'Step{number}', commands=[f\"echo 'line {number}'\"])\n"
    )
    return path


def shell_loop(script: Path, count: int) -> Sequence[str | Path]:
    """Return a command that starts ``bash script`` ``count`` times."""
    return ("bash", "-c", f'for ((i = 0; i < {count}; i++)); do bash "$0"; done', script)
