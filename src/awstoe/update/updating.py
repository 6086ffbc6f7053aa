"""An update from its beginning to its end, in the order that makes it safe.

Refuse what cannot be before any request; lock; put in order what an interrupted update has left;
verify the metadata; decide; download beside the program; check hash and signatures; start the new
program once; swap. Nothing of the new program runs before it is checked, and the swap comes last.
"""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Final, NamedTuple, Protocol, TypeVar

from awstoe import limits
from awstoe.errors import AwstoeError, HostError, UsageError
from awstoe.host import http, program_locks, renaming
from awstoe.host.interruption import Interruption
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update import fetch, health, install, layout, metadata, recovery, regions, verify
from awstoe.update.bundle import Bundle
from awstoe.update.decide import Decision, Kind, decide
from awstoe.update.failure import Busy, CannotWrite, NotOffered, Unreachable, Untrusted
from awstoe.update.journal import Note, Step
from awstoe.update.memory import Memory
from awstoe.update.program import Program, check_replaceable, trusted
from awstoe.update.releases import Release, Version
from awstoe.update.repository import Repository, WebRepository
from awstoe.update.workspace import Workspace

TIME_OUTS: Final = http.TimeOuts(
    limits.UPDATE_CONNECT_SECONDS, limits.UPDATE_IDLE_SECONDS, limits.UPDATE_METADATA_SECONDS
)
_Value = TypeVar("_Value")


class Request(NamedTuple):
    """What was asked for."""

    check: bool = False
    """Only tell whether there is an update."""
    dry_run: bool = False
    """Do all but download and replace."""
    rollback: bool = False
    """Go back to the version before, or to ``version`` even if it is lower."""
    version: str | None = None
    region: str | None = None
    url: str | None = None
    """A template instead of the one built in."""
    bundle: str | None = None
    """Path of a bundle instead of the network."""
    wait: bool = False
    """Wait for runs and other updates instead of giving up."""


class Talk(Protocol):
    """Who is told what happens."""

    def say(self, text: str) -> None:
        """A line for a person."""

    def progress(self, done: int, total: int) -> None:
        """Bytes of the download."""

    def reached(self, step: Step) -> None:
        """A step is done."""


class Result(NamedTuple):
    """How it ended."""

    outcome: str
    """``current``, ``available``, ``would-update``, ``updated`` or ``rolled-back``."""
    installed: Version
    """The version that is in place now."""
    before: Version
    """The version that asked."""
    release: Release | None = None
    """The one chosen."""
    source: str = ""
    """Where it came from."""
    expires: str = ""
    """Until when the metadata is valid."""


def self_update(
    program: Program, request: Request, talk: Talk, *, time_outs: http.TimeOuts = TIME_OUTS
) -> Result:
    """Do what was asked for.

    Raises:
        AwstoeError: It was not done, for the reason that the class says (``failure``).
    """
    trust = trusted(program)
    return _Update(program, trust, request, talk, time_outs).run()


class _Update:
    def __init__(
        self,
        program: Program,
        trust: ReleaseTrust,
        request: Request,
        talk: Talk,
        time_outs: http.TimeOuts,
    ) -> None:
        self._program = program
        self._trust = trust
        self._request = request
        self._talk = talk
        self._time_outs = time_outs
        self._told_waiting = False

    def run(self) -> Result:
        """See ``self_update``."""
        wanted = _version(self._request.version)
        if self._program.path != os.path.abspath(self._program.named):
            self._talk.say(f"{self._program.named} is a link to {self._program.path}")
        with ExitStack() as stack:
            repositories = self._repositories(stack)
            if self._request.check:
                return self._look(repositories, wanted)
            for warning in check_replaceable(self._program):
                self._talk.say(f"warning: {warning}")
            if self._request.dry_run:
                return self._look(repositories, wanted)
            work = self._waited(lambda: stack.enter_context(Workspace(self._program.path)))
            self._talk.reached(Step.LOCKED)
            os.close(self._lock(self._program.path))  # a run is told of before any request
            installed = self._recover(work)
            try:
                if self._request.rollback and wanted is None:
                    return self._roll_back(work)
                return self._update(repositories, wanted, installed, work)
            finally:
                if not os.path.exists(work.old):
                    work.tidy(_is_part)

    def _repositories(self, stack: ExitStack) -> Sequence[Repository]:
        if self._request.bundle is not None:
            return (stack.enter_context(Bundle(self._request.bundle)),)
        order = regions.order(regions.read(), self._request.region or _own_region())
        mirrors = regions.mirrors(self._request.url or self._trust.url, order)
        client = http.Client(self._time_outs, f"awstoe/{self._program.version}")
        return [WebRepository(mirror, client) for mirror in mirrors[: limits.UPDATE_REGIONS]]

    # --- looking ----------------------------------------------------------------------------------

    def _look(self, repositories: Sequence[Repository], wanted: Version | None) -> Result:
        """Tell what would be done, without touching anything."""
        before = self._program.version
        if self._request.rollback and wanted is None:
            self._check_previous(_previous(self._program))
            return Result("would-update", before, before)
        catalogue, source = self._catalogue(repositories, lasting=False)
        decision = self._decide(repositories, catalogue, wanted, before)
        if decision.kind is Kind.CURRENT:
            return Result("current", before, before, decision.release, source, catalogue.expires)
        assert decision.release is not None  # noqa: S101 - only Kind.CURRENT has none
        if self._request.dry_run:
            fetch.check_space(self._program.folder, decision.release.length)
        outcome = "available" if self._request.check else "would-update"
        return Result(outcome, before, before, decision.release, source, catalogue.expires)

    def _catalogue(
        self, repositories: Sequence[Repository], *, lasting: bool
    ) -> tuple[metadata.Catalogue, str]:
        """The verified metadata of the first repository that has it, and that one's name."""
        failures: list[AwstoeError] = []
        with ExitStack() as stack:
            memory = self._waited(
                lambda: stack.enter_context(Memory(self._program.memory, lasting=lasting))
            )
            if memory.is_temporary:
                self._talk.say("warning: what is seen cannot be remembered for this user")
            for repository in repositories:
                try:
                    found = metadata.refresh(repository, self._trust.root, memory.metadata)
                except (Unreachable, Untrusted) as error:
                    failures.append(error)
                    continue
                memory.remember_time()
                for each in failures:
                    self._talk.say(f"warning: {each.message}; asked {repository.name} instead")
                return found, repository.name
        raise self._all_failed(failures)

    @staticmethod
    def _all_failed(failures: Sequence[AwstoeError]) -> AwstoeError:
        error = fetch.worst(failures)
        others = [each.message for each in failures if each is not error]
        if others:
            error.message += "".join(f"\n  also tried: {words}" for words in others)
        return error

    def _decide(
        self,
        repositories: Sequence[Repository],
        catalogue: metadata.Catalogue,
        wanted: Version | None,
        installed: Version,
    ) -> Decision:
        """Choose among what is to be had: a bundle holds less than its metadata lists."""
        return decide(
            installed,
            self._program.machine,
            [
                each
                for each in catalogue.releases
                if any(repository.has(each.path) for repository in repositories)
            ],
            wanted=wanted,
            downgrade=self._request.rollback,
        )

    # --- waiting ----------------------------------------------------------------------------------

    def _lock(self, path: str) -> int:
        """Lock a program against all who run or replace it.

        Raises:
            Busy: Somebody does, and we are not to wait.
        """

        def attempt() -> int:
            descriptor = program_locks.exclude(path)
            if descriptor is None:
                raise Busy(
                    f"a run of {path} is going on",
                    hint="update when it has ended, or use --wait",
                )
            return descriptor

        try:
            return self._waited(attempt)
        except HostError as error:
            raise CannotWrite(error.message, hint=error.hint) from error

    def _waited(self, attempt: Callable[[], _Value]) -> _Value:
        """The value of ``attempt``, which is repeated while it is busy and --wait was given."""
        while True:
            try:
                return attempt()
            except Busy as error:
                if not self._request.wait:
                    raise
                if not self._told_waiting:
                    self._talk.say(f"{error.message}: waiting for its end")
                    self._told_waiting = True
            time.sleep(limits.UPDATE_LOCK_POLL_SECONDS)

    # --- replacing --------------------------------------------------------------------------------

    def _recover(self, work: Workspace) -> Version:
        """Put an interrupted update in order; gives the version that is installed then."""
        found = recovery.recover(self._program, work, keep=_is_part)
        if found is recovery.Found.FINISHED:
            self._talk.say("an interrupted update was finished: its version is in place and works")
        return self._program.version

    def _update(
        self,
        repositories: Sequence[Repository],
        wanted: Version | None,
        installed: Version,
        work: Workspace,
    ) -> Result:
        catalogue, source = self._catalogue(repositories, lasting=True)
        decision = self._decide(repositories, catalogue, wanted, installed)
        self._talk.reached(Step.DECIDED)
        release = decision.release
        if decision.kind is Kind.CURRENT or release is None:
            return Result("current", installed, installed, release, source, catalogue.expires)
        if release.length > limits.UPDATE_PROGRAM_BYTES:
            raise Untrusted(
                f"{source}: {release.path} has {release.length} bytes; a program has at most"
                f" {limits.UPDATE_PROGRAM_BYTES}"
            )
        work.tidy(lambda name: name == release.sha256 + fetch.PART)
        self._talk.say(f"updating awstoe {installed} to {release.version} from {source}")
        first = [each for each in repositories if each.name == source]
        order = first + [each for each in repositories if each.name != source]
        fetch.check_space(work.folder, release.length)
        signature = fetch.signature(order, release)
        self._fetch_own_signature(order, catalogue, work)
        part = fetch.program(order, release, work.folder, self._talk.progress)
        try:
            renaming.replace(part, work.staged)
        except OSError as error:
            raise CannotWrite(f"{part} cannot be renamed: {error.strerror}") from error
        self._talk.reached(Step.DOWNLOADED)
        candidate = install.Candidate(work.staged, Note(release.version, release.sha256), signature)
        self._install(work, candidate)
        outcome = "updated" if decision.kind is Kind.UPDATE else "rolled-back"
        return Result(outcome, release.version, installed, release, source, catalogue.expires)

    def _fetch_own_signature(
        self, repositories: Sequence[Repository], catalogue: metadata.Catalogue, work: Workspace
    ) -> None:
        """Have the signature of the program that will be the previous one, if it is to be had.

        Without it, going back needs the network. One that lies beside it may be of another version.
        """
        beside = self._program.path + layout.SIGNATURE
        with suppress(AwstoeError, OSError):
            own = install.digest(self._program.path)
            known = next((each for each in catalogue.releases if each.sha256 == own), None)
            if known is None or (
                os.path.exists(beside) and install.digest(beside) == known.signature_sha256
            ):
                return
            install.write_signature(work.fetched_signature, fetch.signature(repositories, known))

    def _check_previous(self, previous: str) -> None:
        try:
            with open(previous, "rb") as file:
                verify.check(file, previous, _read_signature(previous), self._trust, sha256=None)
        except OSError as error:
            raise CannotWrite(f"{previous} cannot be read: {error.strerror}") from error

    def _roll_back(self, work: Workspace) -> Result:
        """Swap the program with the one that the last update replaced. Needs no network."""
        previous = _previous(self._program)
        signature = _read_signature(previous)
        fetch.check_space(work.folder, os.path.getsize(previous))
        try:
            shutil.copyfile(previous, work.staged)
            with open(work.staged, "rb") as file:
                sha256 = verify.check(file, previous, signature, self._trust, sha256=None)
            os.chmod(work.staged, 0o700)
        except OSError as error:
            raise CannotWrite(f"{previous} cannot be copied: {error.strerror}") from error
        self._talk.reached(Step.DOWNLOADED)
        version = health.version_of(work.staged)
        self._install(work, install.Candidate(work.staged, Note(version, sha256), signature))
        return Result("rolled-back", version, self._program.version, source=previous)

    def _install(self, work: Workspace, candidate: install.Candidate) -> None:
        # A signal between the two names of the swap would leave it to the next update to finish.
        with Interruption() as interruption:
            install.install(
                self._program,
                work,
                candidate,
                self._trust,
                self._lock,
                lambda step: self._reached(step, interruption),
            )

    def _reached(self, step: Step, interruption: Interruption) -> None:
        if step in (Step.VERIFIED, Step.STARTED, Step.DRESSED, Step.NOTED):
            interruption.check()
        self._talk.reached(step)


def _is_part(name: str) -> bool:
    """Whether a file of the workspace is a part of a download, which can be continued."""
    return name.endswith(fetch.PART)


def _version(text: str | None) -> Version | None:
    if text is None:
        return None
    try:
        return Version(text)
    except ValueError as error:
        raise UsageError(f"--version: {error}") from error


def _own_region() -> str | None:
    """The region that AWS's tools use here, if releases are published in it."""
    name = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return name if name in regions.read() else None


def _previous(program: Program) -> str:
    if not os.path.isfile(program.previous):
        raise NotOffered(
            f"there is no version to go back to: {program.previous} is missing",
            hint="awstoe self-update --rollback --version VERSION fetches a certain one",
        )
    return program.previous


def _read_signature(previous: str) -> bytes:
    path = previous + layout.SIGNATURE
    try:
        with open(path, "rb") as file:
            return file.read(limits.SIGNATURE_BYTES + 1)
    except OSError as error:
        raise Untrusted(
            f"{path}: {error.strerror}: whether {previous} is a release cannot be told",
            hint="awstoe self-update --rollback --version VERSION fetches a certain one",
        ) from error
