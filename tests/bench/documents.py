"""Writes the documents and scripts that the benchmark runs, ours and the rivals'."""

import json
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
