"""inspect: check what is inside the programs, and that their build info fits the release."""

from awstoe_build import selection, targets
from awstoe_build.inspection import inspect
from awstoe_release import build_info
from awstoe_release.build_info import BuildInfo
from awstoe_release.failure import ReleaseFailure
from awstoe_release.release import Release, StepResult


def run(release: Release) -> StepResult:
    """Inspect every program.

    Raises:
        BuildFailure: A program is not one of our builds.
        ReleaseFailure: A program must not be released.
    """
    found: dict[str, object] = {}
    problems: list[str] = []
    for name in release.targets:
        path = release.built(name)
        try:
            with open(path, "rb") as stream:
                data = stream.read()
        except OSError as error:
            raise ReleaseFailure(f"{path} cannot be read: {error.strerror}") from error
        report = inspect.inspect(
            data,
            targets.find(name),
            name=path,
            unwanted=list(selection.EXCLUDED),
            wanted=["awstoe.__main__", *selection.hidden_imports()],
            host_paths=[release.sources],
        )
        inside = build_info.of(data, path)
        problems += [f"{name}: {problem}" for problem in report.problems]
        problems += _contradictions(release, name, inside)
        release.log(report.lines()[0])
        found[name] = {"size": report.size, "modules": report.modules, "facts": inside}
    if problems:
        raise ReleaseFailure("\n".join(["the programs must not be released:", *problems]))
    return StepResult({"programs": found})


def _contradictions(release: Release, target: str, inside: BuildInfo) -> list[str]:
    """Return where a program's build info differs from the release."""
    wanted = {"version": release.version, "target": target}
    if not release.rehearsal:
        wanted["commit"] = release.commit
    return [
        f"{target}: its build info has {name} {inside[name]!r}, expected {value!r}"
        for name, value in wanted.items()
        if inside.get(name, value) != value
    ]
