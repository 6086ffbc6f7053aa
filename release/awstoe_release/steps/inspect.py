"""inspect: nothing in the programs that must not be there, and what they say of themselves."""

from awstoe_build import selection, targets
from awstoe_build.inspection import inspect
from awstoe_release import facts
from awstoe_release.failure import ReleaseFailure
from awstoe_release.release import Made, Release


def run(release: Release) -> Made:
    """Look into every program.

    Raises:
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
        inside = facts.of(data, path)
        problems += [f"{name}: {problem}" for problem in report.problems]
        problems += _contradictions(release, name, inside)
        release.say(report.lines()[0])
        found[name] = {"size": report.size, "modules": report.modules, "facts": inside}
    if problems:
        raise ReleaseFailure("\n".join(["the programs must not be released:", *problems]))
    return Made({"programs": found})


def _contradictions(release: Release, target: str, inside: facts.Facts) -> list[str]:
    """What a program says of itself and is not so."""
    wanted = {"version": release.version, "target": target}
    if not release.rehearsal:
        wanted["commit"] = release.commit
    return [
        f"{target}: it says {name} {inside[name]!r}, expected {value!r}"
        for name, value in wanted.items()
        if inside.get(name, value) != value
    ]
