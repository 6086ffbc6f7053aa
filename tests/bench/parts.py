"""Measures: one function per part, which returns its rows of the table."""

import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from awstoe_build.targets import BUILD_MACHINE, TARGETS
from bench import documents
from bench.measuring import MeasurementFailed, Program, empty, run, size_of, take_turns
from bench.rivals import RivalMissing, installed
from bench.table import Row, as_text, figure
from fakes.gnupg import GPG, gpg
from subject import file_of

AWSTOE = Path(sys.executable).with_name("awstoe")
PYTHON = Path(sys.executable)
NATIVE = BUILD_MACHINE.name
MIB = 1024 * 1024
STEPS = 300
PRINTED_BYTES = 500_000_000
MEGABYTE = 1_000_000
SIGNED_BYTES = 100_000_000
EXAMPLE = Path(__file__).parents[2] / "examples" / "hello-world.yml"
SIZE_BUDGETS = {target.name: target.size_budget / MEGABYTE for target in TARGETS.values()}


class Bench(NamedTuple):
    """The folders of the benchmark."""

    work: Path
    rivals: Path

    def our_run(self, document: Path, program: Path = AWSTOE) -> Program:
        """Return ``awstoe run`` of ``document``, with empty log and state folders each turn."""
        logs, state = self.work / "logs", self.work / "state"

        def prepare() -> None:
            empty(logs)
            empty(state)

        options = ("--documents", document, "--log-directory", logs, "--state-directory", state)
        return Program((program, "run", *options), prepare)


def echo(bench: Bench) -> list[Row]:
    """Compare 300 echo steps with a shell loop that starts bash 300 times."""
    script = documents.echo_script(bench.work / "echo.sh")
    measured = take_turns(
        {
            "ours": bench.our_run(documents.steps(bench.work / "steps.yml", STEPS)),
            "loop": Program(documents.shell_loop(script, STEPS)),
        },
        7,
        bench.work,
    )
    ours, loop = measured["ours"].seconds, measured["loop"].seconds
    return [
        Row(
            f"{STEPS} echo steps",
            as_text(ours),
            f"shell loop of `bash FILE`: {as_text(loop)}",
            ours / loop,
            2.0,
        )
    ]


def ansible(bench: Bench) -> list[Row]:
    """Compare a step with a task of ansible-playbook on the local connection."""
    program = installed("ansible-playbook", bench.rivals)
    tasks = 100
    book = documents.playbook(bench.work / "playbook.yml", tasks)
    # Otherwise ansible would search for an interpreter, which takes time.
    python = ("--extra-vars", f"ansible_python_interpreter={program.with_name('python')}")
    local = ("--inventory", "localhost,", "--connection", "local")
    theirs = Program((program, *local, *python, book))
    return per_step(bench, f"ansible-playbook, {tasks} command tasks", theirs, tasks, 80)


def pyinfra(bench: Bench) -> list[Row]:
    """Compare a step with an operation of pyinfra on the local machine."""
    program = installed("pyinfra", bench.rivals)
    deploy = documents.deploy(bench.work / "deploy.py", STEPS)
    theirs = Program((program, "-y", "@local", deploy))
    return per_step(bench, f"pyinfra @local, {STEPS} shell operations", theirs, STEPS, 2.5)


def per_step(bench: Bench, name: str, theirs: Program, count: int, bound: float) -> list[Row]:
    """Compare whole runs of both, including startup, divided by the number of steps."""
    ours = bench.our_run(documents.steps(bench.work / "steps.yml", count))
    measured = take_turns({"ours": ours, "theirs": theirs}, 2, bench.work)
    step, task = measured["ours"].seconds / count, measured["theirs"].seconds / count
    rival = f"{name}: {as_text(task)} each"
    return [Row("one step, faster by", as_text(step), rival, task / step, bound, at_least=True)]


def growth(bench: Bench) -> list[Row]:
    """Compare a step of a long run with one of a short run, without the startup of either."""
    few, many = 100, 10_000
    runs = {
        count: bench.our_run(documents.steps(bench.work / f"{count}.yml", count))
        for count in (1, few, many)
    }
    short = take_turns({str(count): runs[count] for count in (1, few)}, 7, bench.work)
    long = take_turns({str(many): runs[many]}, 2, bench.work)[str(many)].seconds
    start = short["1"].seconds
    each_few = (short[str(few)].seconds - start) / (few - 1)
    each_many = (long - start) / (many - 1)
    rival = f"a step of {few}: {as_text(each_few)}"
    return [Row(f"a step of {many:,}", as_text(each_many), rival, each_many / each_few, 1.3)]


def loop(bench: Bench) -> list[Row]:
    """Measure the memory and the logs of a million iterations that use no files."""
    iterations = 1_000_000
    program = bench.our_run(documents.loop(bench.work / "loop.yml", iterations))
    measured = run(program, bench.work, watch_memory=True)
    left = (size_of(bench.work / "logs") + size_of(bench.work / "state")) / MIB
    peak = measured.peak_kib / 1024
    what = f"{iterations:,} iterations of Assert ({as_text(measured.seconds)})"
    return [
        Row(what, f"{peak:.0f} MiB resident", "-", peak, 100, unit=" MiB"),
        Row("their logs and records", f"{left:.2f} MiB", "-", left, 2, unit=" MiB"),
    ]


def orphans(bench: Bench) -> list[Row]:
    """Measure how long a detached process of a step can still be found after its end."""
    times = bench.work / "times"
    run(bench.our_run(documents.ending_orphans(bench.work / "orphans.yml", times)), bench.work)
    microseconds = sorted(map(int, times.read_text().split()))
    middle, most = (microseconds[index] / 1e6 for index in (len(microseconds) // 2, -1))
    what = f"an ended process is gone, the slowest of {len(microseconds)}"
    return [
        Row(what, as_text(most), f"in the middle: {as_text(middle)}", most * 1e3, 50, unit=" ms")
    ]


def output(bench: Bench) -> list[Row]:
    """Compare a step that prints 500 MB into both logs with two pipelines."""
    script = documents.printing_script(bench.work / "print.sh", PRINTED_BYTES)
    small = documents.printing_script(bench.work / "small.sh", documents.LINE_BYTES)
    files = bench.work / "files"
    pipelines = {
        "tee": f"bash {script} | sed 's/^/x/' | tee {files}/A > {files}/B",
        "cat": f"bash {script} | cat > {files}/A",
    }
    programs = {
        name: Program(("bash", "-c", line), lambda: empty(files))
        for name, line in pipelines.items()
    }
    programs["ours"] = bench.our_run(documents.script_step(bench.work / "print.yml", script))
    measured = take_turns(programs, 3, bench.work, watch_memory=True)
    if (logged := size_of(bench.work / "logs")) < 2 * PRINTED_BYTES:
        raise MeasurementFailed(f"the logs have only {logged} bytes of 2 x {PRINTED_BYTES}")
    quiet = bench.our_run(documents.script_step(bench.work / "small.yml", small))
    idle = take_turns({"idle": quiet}, 3, bench.work, watch_memory=True)["idle"].peak_kib
    ours = measured["ours"]
    above = (ours.peak_kib - idle) / 1024
    empty(files)
    empty(bench.work / "logs")
    speed = f"{PRINTED_BYTES / ours.seconds / 1e6:.0f} MB/s"
    rows = [
        Row(
            "500 MB of output, both logs, speed",
            speed,
            f"`{pipeline}`: {PRINTED_BYTES / measured[name].seconds / 1e6:.0f} MB/s",
            measured[name].seconds / ours.seconds,
            bound,
            at_least=True,
        )
        for name, pipeline, bound in (
            ("tee", "bash FILE \\| sed 's/^/x/' \\| tee A > B", 0.5),
            ("cat", "bash FILE \\| cat > A", 0.15),
        )
    ]
    idle_text = f"a run that prints a line: {idle / 1024:.0f} MiB"
    peak_text = f"{ours.peak_kib / 1024:.0f} MiB resident"
    return [*rows, Row("the same, memory above idle", peak_text, idle_text, above, 64, unit=" MiB")]


def startup(bench: Bench) -> list[Row]:
    """Compare --version and the hello world example with an empty Python program."""
    script = documents.echo_script(bench.work / "echo.sh")
    measured = take_turns(
        {
            "python": Program((PYTHON, "-c", "pass")),
            "version": Program((AWSTOE, "--version")),
            "bash": Program(("bash", script)),
            "hello": bench.our_run(EXAMPLE),
        },
        25,
        bench.work,
    )
    python, bash = measured["python"].seconds, measured["bash"].seconds
    version, hello = measured["version"].seconds, measured["hello"].seconds
    needed = python + 3 * bash
    return [
        Row(
            "`awstoe --version`",
            as_text(version),
            f"`python3 -c pass`: {as_text(python)}",
            version / python,
            2.0,
        ),
        Row(
            "hello world, three steps",
            as_text(hello),
            f"`python3 -c pass` and three bash starts: {as_text(needed)}",
            hello / needed,
            6.0,
        ),
    ]


def validation(bench: Bench) -> list[Row]:
    """Compare validating 10,000 steps with parsing them with PyYAML's C loader."""
    path = documents.steps(bench.work / "10000.yml", 10_000)
    code = f"import yaml; yaml.load(open({str(path)!r}), Loader=yaml.CSafeLoader)"
    measured = take_turns(
        {
            "ours": Program((AWSTOE, "validate", "--documents", path)),
            "yaml": Program((PYTHON, "-c", code)),
        },
        5,
        bench.work,
    )
    ours, yaml = measured["ours"].seconds, measured["yaml"].seconds
    rival = f"`yaml.CSafeLoader`: {as_text(yaml)}"
    return [Row("validate 10,000 steps", as_text(ours), rival, ours / yaml, 4.0)]


def file(bench: Bench) -> list[Row]:
    """Measure the size, startup time and memory of the built files."""
    sizes = {name: file_of(name) for name in SIZE_BUDGETS}
    rows = [
        Row(f"file of {name}", f"{size:.2f} MB", "-", size, SIZE_BUDGETS[name], unit=" MB")
        for name, path in sizes.items()
        if path.is_file() and (size := path.stat().st_size / MEGABYTE)
    ]
    native = sizes[NATIVE]
    if not native.is_file():
        raise RivalMissing(f"There is no executable for {NATIVE}: run `make build`.")
    measured = take_turns(
        {
            "python": Program((PYTHON, "-c", "pass")),
            "version": Program((native, "--version")),
            "hello": bench.our_run(EXAMPLE, native),
        },
        20,
        bench.work,
    )
    python = measured["python"].seconds
    for name, what, seconds in (("version", "--version", 0.2), ("hello", "hello world", 0.35)):
        ours = measured[name].seconds
        rival = f"`python3 -c pass`: {as_text(python)}, {figure(ours / python)}x"
        label = f"{what} of the {NATIVE} file"
        rows.append(Row(label, as_text(ours), rival, ours, seconds, unit=" s"))
    return [*rows, idle(bench, native)]


def signature(bench: Bench) -> list[Row]:
    """Compare verifying the signature of 100 MB with gpg, both including startup."""
    if GPG is None:
        raise RivalMissing("verify-signature cannot be compared with gpg, which is not installed.")
    file, key = bench.work / "file", bench.work / "key.gpg"
    file.write_bytes(random.Random(1).randbytes(SIGNED_BYTES))
    with gpg() as rival:
        rival.make_key("bench <bench@example.com>", "rsa4096", "sign")
        made = rival.run(
            "--digest-algo", "SHA512", "--output", f"{file}.sig", "--detach-sign", file
        )
        if made.returncode:
            raise MeasurementFailed(made.stderr.decode())
        key.write_bytes(rival.export())
        checks = {
            "gpg": Program(
                (GPG, "--homedir", rival.home, "--batch", "--verify", f"{file}.sig", file)
            ),
            "sources": Program((AWSTOE, "verify-signature", file, "--key", key)),
        }
        if (native := file_of(NATIVE)).is_file():
            checks["file"] = Program((native, "verify-signature", file, "--key", key))
        measured = take_turns(checks, 7, bench.work)
    theirs = measured.pop("gpg").seconds
    rows = []
    for name, measurement in measured.items():
        what = "" if name == "sources" else f", the {NATIVE} file"
        rival_time = f"`gpg --verify`: {as_text(theirs)}"
        ratio = measurement.seconds / theirs
        label = f"verify-signature, 100 MB{what}"
        rows.append(Row(label, as_text(measurement.seconds), rival_time, ratio, 1.0))
    return rows


def idle(bench: Bench, program: Path) -> Row:
    """Measure the memory of a run while its step waits: both processes of the file."""
    document = documents.waiting(bench.work / "wait.yml")
    peak = run(bench.our_run(document, program), bench.work, watch_memory=True, family=True)
    resident = peak.peak_kib / 1024
    return Row("the same, idle in a step", f"{resident:.0f} MiB", "-", resident, 45, unit=" MiB")


def publishing(bench: Bench) -> list[Row]:
    """Compare publishing a release to 20 regions with the same uploads by aws s3 cp."""
    from bench import publishing as release  # noqa: PLC0415 - it needs more packages

    return release.rows(bench.work, installed("aws", bench.rivals))


PARTS: dict[str, Callable[[Bench], Sequence[Row]]] = {
    part.__name__: part
    for part in (
        echo,
        ansible,
        pyinfra,
        growth,
        loop,
        orphans,
        output,
        startup,
        validation,
        publishing,
        file,
        signature,
    )
}
