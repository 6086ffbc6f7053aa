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
from awstoe.host.executable import lock, swap
from awstoe.host.files import renaming
from awstoe.host.network import http
from awstoe.host.network.deadline import Deadline, Timeouts
from awstoe.host.process.interruption import Interruption
from awstoe.trust.release_trust import ReleaseTrust
from awstoe.update import (
    fetch,
    install,
    layout,
    recovery,
    regions,
    release_index,
    smoke_test,
    verify,
)
from awstoe.update.bundle import Bundle
from awstoe.update.decide import Decision, Kind, decide
from awstoe.update.errors import Busy, CannotWrite, NotAvailable, Unreachable, Untrusted, combined
from awstoe.update.install_record import InstallRecord, InstallStep
from awstoe.update.installation import Installation, check_replaceable, trusted
from awstoe.update.local_metadata import LocalMetadata
from awstoe.update.releases import Release, Version
from awstoe.update.repository import Repository, WebRepository
from awstoe.update.workspace import Workspace

TIMEOUTS: Final = Timeouts(
    limits.UPDATE_CONNECT_SECONDS, limits.UPDATE_IDLE_SECONDS, limits.UPDATE_METADATA_SECONDS
)
_Value = TypeVar("_Value")


class UpdateRequest(NamedTuple):
    """What was asked for."""

    check: bool = False
    """Only tell whether there is an update."""
    dry_run: bool = False
    """Do all but download the program and replace it."""
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


class UpdateObserver(Protocol):
    """Who is told what happens."""

    def say(self, text: str) -> None:
        """A line for a person."""

    def warn(self, text: str) -> None:
        """What should be known, though it stops nothing."""

    def progress(self, done: int, total: int) -> None:
        """Bytes of the download."""

    def reached(self, step: InstallStep) -> None:
        """A step is done."""


class UpdateResult(NamedTuple):
    """How it ended."""

    outcome: str
    """``current``, ``available``, ``would-update``, ``updated`` or ``rolled-back``."""
    installed: Version
    """The version that is in place now."""
    before: Version
    """The version that asked."""
    release: Release | None = None
    """The one chosen from the metadata."""
    kept: InstallRecord | None = None
    """The file chosen, where it is the one that the last update kept."""
    source: str = ""
    """Where it came from."""
    expires: str = ""
    """Until when the metadata is valid."""


def self_update(
    program: Installation,
    request: UpdateRequest,
    talk: UpdateObserver,
    *,
    timeouts: Timeouts = TIMEOUTS,
) -> UpdateResult:
    """Do what was asked for.

    Raises:
        AwstoeError: It was not done, for the reason that the class says (``failure``).
    """
    trust = trusted(program)
    return _Update(program, trust, request, talk, timeouts).run()


class _Update:
    def __init__(
        self,
        program: Installation,
        trust: ReleaseTrust,
        request: UpdateRequest,
        talk: UpdateObserver,
        timeouts: Timeouts,
    ) -> None:
        self._program = program
        self._trust = trust
        self._request = request
        self._talk = talk
        self._client = http.Client(timeouts, f"awstoe/{program.version}")
        self._told_waiting = False

    def run(self) -> UpdateResult:
        """See ``self_update``."""
        wanted = _version(self._request.version)
        if self._program.path != os.path.abspath(self._program.named):
            self._talk.say(f"{self._program.named} is a link to {self._program.path}")
        with ExitStack() as stack:
            repositories = self._repositories(stack)
            if self._request.check:
                return self._look(repositories, wanted)
            for warning in check_replaceable(self._program):
                self._talk.warn(warning)
            work = self._waited(lambda: stack.enter_context(Workspace(self._program.path)))
            self._talk.reached(InstallStep.LOCKED)
            os.close(self._lock(self._program.path))  # a run is told of before any request
            installed = self._recover(work)
            try:
                if self._request.rollback and wanted is None:
                    return self._roll_back(work)
                return self._update(repositories, wanted, installed, work)
            finally:
                with suppress(OSError):  # the next update does it
                    self._tidy(work)

    def _tidy(self, work: Workspace) -> None:
        if self._request.dry_run:
            swap.remove(work.staged)
        elif not os.path.exists(work.old):
            work.clean(_is_part)

    def _repositories(self, stack: ExitStack) -> Sequence[Repository]:
        if self._request.bundle is not None:
            return (stack.enter_context(Bundle(self._request.bundle)),)
        url, region = self._request.url, self._request.region
        template = self._trust.url if url is None else url
        order = regions.order(regions.read(), _own_region() if region is None else region)
        mirrors = regions.mirrors(template, order)
        regions.check_choice(template, region)
        return [WebRepository(mirror, self._client) for mirror in mirrors[: limits.UPDATE_REGIONS]]

    # --- looking ----------------------------------------------------------------------------------

    def _look(self, repositories: Sequence[Repository], wanted: Version | None) -> UpdateResult:
        """Tell whether there is an update, without touching anything."""
        before = self._program.version
        catalogue, source = self._catalogue(repositories, lasting=False)
        decision = self._decide(repositories, catalogue, wanted, before)
        outcome = "current" if decision.kind is Kind.CURRENT else "available"
        return UpdateResult(
            outcome, before, before, decision.release, source=source, expires=catalogue.expires
        )

    def _catalogue(
        self, repositories: Sequence[Repository], *, lasting: bool
    ) -> tuple[release_index.ReleaseIndex, str]:
        """The verified metadata of the first repository that has it, and that one's name."""
        failures: list[AwstoeError] = []
        with ExitStack() as stack:
            memory = self._waited(
                lambda: stack.enter_context(LocalMetadata(self._program.memory, lasting=lasting))
            )
            if memory.is_temporary:
                self._talk.warn("what is seen cannot be remembered for this user")
            self._client.deadline = Deadline(limits.UPDATE_ALL_METADATA_SECONDS)
            for repository in repositories:
                try:
                    found = release_index.refresh(repository, self._trust.root, memory.metadata)
                except (Unreachable, Untrusted) as error:
                    failures.append(error)
                    continue
                memory.remember_time()
                for each in failures:
                    self._talk.warn(f"{each.message}; asked {repository.name} instead")
                return found, repository.name
        raise combined(failures)

    def _decide(
        self,
        repositories: Sequence[Repository],
        catalogue: release_index.ReleaseIndex,
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
            descriptor = lock.lock_exclusive(path)
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
        if self._request.dry_run:
            if recovery.is_needed(self._program, work):
                self._talk.warn(
                    "an earlier update was interrupted: the next one puts that in order first,"
                    " and then this may be another version"
                )
            return self._program.version
        found = recovery.recover(self._program, work, keep=_is_part, warn=self._talk.warn)
        if found is recovery.Found.FINISHED:
            self._talk.say("an interrupted update was finished: its version is in place and works")
        return self._program.version

    def _update(
        self,
        repositories: Sequence[Repository],
        wanted: Version | None,
        installed: Version,
        work: Workspace,
    ) -> UpdateResult:
        catalogue, source = self._catalogue(repositories, lasting=True)
        decision = self._decide(repositories, catalogue, wanted, installed)
        self._talk.reached(InstallStep.DECIDED)
        release = decision.release
        told = UpdateResult(
            "current", installed, installed, release, source=source, expires=catalogue.expires
        )
        if decision.kind is Kind.CURRENT or release is None:
            return told
        if release.length > limits.UPDATE_PROGRAM_BYTES:
            raise Untrusted(
                f"{source}: {release.path} has {release.length} bytes; a program has at most"
                f" {limits.UPDATE_PROGRAM_BYTES}"
            )
        first = [each for each in repositories if each.name == source]
        order = first + [each for each in repositories if each.name != source]
        self._client.deadline = Deadline(limits.UPDATE_ALL_SECONDS)
        if not self._request.dry_run:
            work.clean(lambda name: name == release.sha256 + fetch.PART)
        fetch.check_space(work.folder, fetch.missing_bytes(release, work.folder))
        signature = fetch.signature(order, release)
        if self._request.dry_run:
            return told._replace(outcome="would-update")
        self._talk.say(f"updating awstoe {installed} to {release.version} from {source}")
        self._fetch_own_signature(order, catalogue, work)
        part = fetch.program(order, release, work.folder, self._talk.progress)
        try:
            renaming.replace(part, work.staged)
        except OSError as error:
            raise CannotWrite(f"{part} cannot be renamed: {error.strerror}") from error
        self._talk.reached(InstallStep.DOWNLOADED)
        candidate = install.Candidate(
            work.staged, InstallRecord(release.version, release.sha256), signature
        )
        self._install(work, candidate)
        outcome = "updated" if decision.kind is Kind.UPDATE else "rolled-back"
        return told._replace(outcome=outcome, installed=release.version)

    def _fetch_own_signature(
        self,
        repositories: Sequence[Repository],
        catalogue: release_index.ReleaseIndex,
        work: Workspace,
    ) -> None:
        """Have the signature of the program that will be the previous one, if it is to be had.

        Without it, going back needs the network. One that lies beside it may be of another version.
        """
        beside = self._program.path + layout.SIGNATURE
        try:
            own = install.digest(self._program.path)
            known = next((each for each in catalogue.releases if each.sha256 == own), None)
            if known is None or (
                os.path.exists(beside) and install.digest(beside) == known.signature_sha256
            ):
                return
            install.write_signature(work.fetched_signature, fetch.signature(repositories, known))
        except (AwstoeError, OSError) as error:
            words = error.message if isinstance(error, AwstoeError) else error.strerror
            self._talk.warn(
                "the signature of the installed version could not be had, without which --rollback"
                f" needs the network and a --version: {words}"
            )

    def _roll_back(self, work: Workspace) -> UpdateResult:
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
        before = self._program.version
        note = InstallRecord(smoke_test.version_of(work.staged), sha256)
        told = UpdateResult("would-update", before, before, kept=note, source=previous)
        if self._request.dry_run:
            return told
        self._talk.reached(InstallStep.DOWNLOADED)
        self._install(work, install.Candidate(work.staged, note, signature))
        return told._replace(outcome="rolled-back", installed=note.version)

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
                self._talk.warn,
            )

    def _reached(self, step: InstallStep, interruption: Interruption) -> None:
        if step in (
            InstallStep.VERIFIED,
            InstallStep.STARTED,
            InstallStep.ATTRIBUTES_COPIED,
            InstallStep.RECORDED,
        ):
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


def _previous(program: Installation) -> str:
    if not os.path.isfile(program.previous):
        raise NotAvailable(
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
