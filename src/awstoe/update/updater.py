"""Runs an update from start to finish, in the order that makes it safe.

Reject what cannot work before any request; lock; recover from an interrupted update; verify the
metadata; decide; download next to the program; check hash and signatures; start the new program
once; swap. No code of the new program runs before it is checked, and the swap comes last.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from enum import StrEnum
from typing import Final, NamedTuple, Protocol, TypeVar

from awstoe import limits
from awstoe.errors import AwstoeError, HostError, UsageError
from awstoe.host.executable import lock, swap
from awstoe.host.files import plain_files, renaming
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
    """What the user asked for."""

    check: bool = False
    """Only report whether there is an update."""
    dry_run: bool = False
    """Do everything except downloading the program and replacing it."""
    rollback: bool = False
    """Return to the previous version, or to ``version`` even if it is lower."""
    version: str | None = None
    region: str | None = None
    url: str | None = None
    """A URL template that replaces the built-in one."""
    bundle: str | None = None
    """Path of a bundle to use instead of the network."""
    wait: bool = False
    """Wait for runs and other updates instead of failing."""


class UpdateObserver(install.InstallObserver, Protocol):
    """Receives the progress of an update."""

    def message(self, text: str) -> None:
        """Show a line to the user."""

    def progress(self, done: int, total: int) -> None:
        """Show the progress of the download, in bytes."""


class UpdateOutcome(StrEnum):
    """How an update ended."""

    CURRENT = "current"
    AVAILABLE = "available"
    WOULD_UPDATE = "would-update"
    UPDATED = "updated"
    ROLLED_BACK = "rolled-back"


class UpdateResult(NamedTuple):
    """The outcome of an update, and the versions involved."""

    outcome: UpdateOutcome
    installed: Version
    """The version that is in place now."""
    before: Version
    """The version that ran the update."""
    release: Release | None = None
    """The release chosen from the metadata."""
    kept: InstallRecord | None = None
    """The file chosen by a rollback: the one that the last update kept."""
    source: str = ""
    """Where the release comes from: the name of a repository, or a path."""
    expires: str = ""
    """When the metadata expires."""


def self_update(
    program: Installation,
    request: UpdateRequest,
    observer: UpdateObserver,
    *,
    timeouts: Timeouts = TIMEOUTS,
) -> UpdateResult:
    """Carry out the request.

    Raises:
        AwstoeError: The update failed; the classes in ``update.errors`` say why.
    """
    trust = trusted(program)
    return _Update(program, trust, request, observer, timeouts).run()


class _InterruptibleObserver(NamedTuple):
    """Passes reports on, and stops the installation on a signal while that is still safe."""

    observer: UpdateObserver
    interruption: Interruption

    def warn(self, text: str) -> None:
        self.observer.warn(text)

    def reached(self, step: InstallStep) -> None:
        if step in (
            InstallStep.VERIFIED,
            InstallStep.STARTED,
            InstallStep.ATTRIBUTES_COPIED,
            InstallStep.RECORDED,
        ):
            self.interruption.check()
        self.observer.reached(step)


class _Update:
    def __init__(
        self,
        program: Installation,
        trust: ReleaseTrust,
        request: UpdateRequest,
        observer: UpdateObserver,
        timeouts: Timeouts,
    ) -> None:
        self._program = program
        self._trust = trust
        self._request = request
        self._observer = observer
        self._client = http.Client(timeouts, f"awstoe/{program.version}")
        self._waiting_reported = False

    def run(self) -> UpdateResult:
        wanted = _version(self._request.version)
        if self._program.path != os.path.abspath(self._program.named):
            self._observer.message(f"{self._program.named} is a link to {self._program.path}")
        with ExitStack() as stack:
            repositories = self._repositories(stack)
            if self._request.check:
                return self._check(repositories, wanted)
            for warning in check_replaceable(self._program):
                self._observer.warn(warning)
            work = self._waited(lambda: stack.enter_context(Workspace(self._program.path)))
            self._observer.reached(InstallStep.LOCKED)
            os.close(self._lock(self._program.path))  # reports a run before any request is sent
            self._recover(work)
            try:
                if self._request.rollback and wanted is None:
                    return self._roll_back(work)
                return self._update(repositories, wanted, work)
            finally:
                with suppress(OSError):  # the next update cleans up
                    self._clean(work)

    def _clean(self, work: Workspace) -> None:
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

    # --- checking ---------------------------------------------------------------------------------

    def _check(self, repositories: Sequence[Repository], wanted: Version | None) -> UpdateResult:
        """Find out whether there is an update, without changing anything."""
        before = self._program.version
        index, source = self._index(repositories, lasting=False)
        decision = self._decide(repositories, index, wanted)
        outcome = (
            UpdateOutcome.CURRENT if decision.kind is Kind.CURRENT else UpdateOutcome.AVAILABLE
        )
        return UpdateResult(
            outcome, before, before, decision.release, source=source, expires=index.expires
        )

    def _index(
        self, repositories: Sequence[Repository], *, lasting: bool
    ) -> tuple[release_index.ReleaseIndex, str]:
        """Return the verified metadata of the first repository that has it, and its name."""
        failures: list[AwstoeError] = []
        with ExitStack() as stack:
            folder = self._program.metadata_folder
            local_metadata = self._waited(
                lambda: stack.enter_context(LocalMetadata(folder, lasting=lasting))
            )
            if local_metadata.is_temporary:
                self._observer.warn("this user has no folder to keep trust metadata in")
            self._client.deadline = Deadline(limits.UPDATE_ALL_METADATA_SECONDS)
            for repository in repositories:
                try:
                    index = release_index.refresh(
                        repository, self._trust.root, local_metadata.metadata
                    )
                except (Unreachable, Untrusted) as error:
                    failures.append(error)
                    continue
                local_metadata.remember_time()
                for each in failures:
                    self._observer.warn(f"{each.message}; used {repository.name} instead")
                return index, repository.name
        raise combined(failures)

    def _decide(
        self,
        repositories: Sequence[Repository],
        index: release_index.ReleaseIndex,
        wanted: Version | None,
    ) -> Decision:
        """Choose among the available releases: a bundle holds fewer than its metadata lists."""
        return decide(
            self._program.version,
            self._program.machine,
            [
                each
                for each in index.releases
                if any(repository.has(each.path) for repository in repositories)
            ],
            wanted=wanted,
            downgrade=self._request.rollback,
        )

    # --- waiting ----------------------------------------------------------------------------------

    def _lock(self, path: str) -> int:
        """Lock a program against processes that run or replace it, and return the descriptor.

        Raises:
            Busy: There is such a process, and the request is not to wait.
        """

        def attempt() -> int:
            descriptor = lock.lock_exclusive(path)
            if descriptor is None:
                raise Busy(
                    f"a run of {path} is in progress",
                    hint="update after it has finished, or use --wait",
                )
            return descriptor

        try:
            return self._waited(attempt)
        except HostError as error:
            raise CannotWrite(error.message, hint=error.hint) from error

    def _waited(self, attempt: Callable[[], _Value]) -> _Value:
        """Return the value of ``attempt``; with --wait, repeat it while it raises ``Busy``."""
        while True:
            try:
                return attempt()
            except Busy as error:
                if not self._request.wait:
                    raise
                if not self._waiting_reported:
                    self._observer.message(f"{error.message}: waiting until it has finished")
                    self._waiting_reported = True
            time.sleep(limits.UPDATE_LOCK_POLL_SECONDS)

    # --- replacing --------------------------------------------------------------------------------

    def _recover(self, work: Workspace) -> None:
        """Finish or undo an interrupted update; in a dry run, only report it."""
        if self._request.dry_run:
            if recovery.is_needed(self._program, work):
                self._observer.warn(
                    "an earlier update was interrupted: the next one first finishes or undoes it,"
                    " after which another version may be installed"
                )
            return
        action = recovery.recover(self._program, work, keep=_is_part, warn=self._observer.warn)
        if action is recovery.RecoveryAction.FINISHED:
            self._observer.message(
                "an interrupted update was finished: its version is in place and works"
            )

    def _update(
        self, repositories: Sequence[Repository], wanted: Version | None, work: Workspace
    ) -> UpdateResult:
        index, source = self._index(repositories, lasting=True)
        installed = self._program.version
        decision = self._decide(repositories, index, wanted)
        self._observer.reached(InstallStep.DECIDED)
        release = decision.release
        result = UpdateResult(
            UpdateOutcome.CURRENT,
            installed,
            installed,
            release,
            source=source,
            expires=index.expires,
        )
        if decision.kind is Kind.CURRENT or release is None:
            return result
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
            return result._replace(outcome=UpdateOutcome.WOULD_UPDATE)
        self._observer.message(f"updating awstoe {installed} to {release.version} from {source}")
        self._fetch_own_signature(order, index, work)
        part = fetch.program(order, release, work.folder, self._observer.progress)
        try:
            renaming.replace(part, work.staged)
        except OSError as error:
            raise CannotWrite(f"{part} cannot be renamed: {error.strerror}") from error
        self._observer.reached(InstallStep.DOWNLOADED)
        self._install(work, InstallRecord(release.version, release.sha256), signature)
        outcome = (
            UpdateOutcome.UPDATED if decision.kind is Kind.UPDATE else UpdateOutcome.ROLLED_BACK
        )
        return result._replace(outcome=outcome, installed=release.version)

    def _fetch_own_signature(
        self,
        repositories: Sequence[Repository],
        index: release_index.ReleaseIndex,
        work: Workspace,
    ) -> None:
        """Download the signature of the program that is about to become the previous one.

        Without it, a rollback needs the network. A signature next to the program may belong to
        another version.
        """
        try:
            own = install.digest(self._program.path)
            known = next((each for each in index.releases if each.sha256 == own), None)
            beside = install.signature_beside(self._program.path)
            if known is None or (
                beside is not None and hashlib.sha256(beside).hexdigest() == known.signature_sha256
            ):
                return
            install.write_signature(work.fetched_signature, fetch.signature(repositories, known))
        except (AwstoeError, OSError) as error:
            reason = error.message if isinstance(error, AwstoeError) else error.strerror
            self._observer.warn(
                "the signature of the installed version could not be fetched, so --rollback needs"
                f" the network and a --version: {reason}"
            )

    def _roll_back(self, work: Workspace) -> UpdateResult:
        """Swap the program with the one that the last update replaced. Needs no network."""
        previous = _previous(self._program)
        signature = _read_signature(previous)
        fetch.check_space(work.folder, os.path.getsize(previous))
        try:
            with (
                plain_files.open_file(previous, follow_link=False) as source,
                open(work.staged, "wb") as copy,
            ):
                shutil.copyfileobj(source, copy)
            with open(work.staged, "rb") as file:
                sha256 = verify.check(
                    file,
                    previous,
                    signature,
                    self._trust,
                    platform=self._program.machine.platform,
                    sha256=None,
                )
            os.chmod(work.staged, 0o700)
        except OSError as error:
            raise CannotWrite(f"{previous} cannot be copied: {error.strerror}") from error
        before = self._program.version
        record = InstallRecord(smoke_test.version_of(work.staged), sha256)
        result = UpdateResult(
            UpdateOutcome.WOULD_UPDATE, before, before, kept=record, source=previous
        )
        if self._request.dry_run:
            return result
        self._observer.reached(InstallStep.DOWNLOADED)
        self._install(work, record, signature)
        return result._replace(outcome=UpdateOutcome.ROLLED_BACK, installed=record.version)

    def _install(self, work: Workspace, record: InstallRecord, signature: bytes) -> None:
        candidate = install.Candidate(
            work.staged, record, signature, self._trust, self._program.machine.platform
        )
        # A signal between the two renames of the swap would leave it to the next update to finish.
        with Interruption() as interruption:
            observer = _InterruptibleObserver(self._observer, interruption)
            install.install(self._program, work, candidate, self._lock, observer)


def _is_part(name: str) -> bool:
    """Whether a file of the workspace is an incomplete download, which can be resumed."""
    return name.endswith(fetch.PART)


def _version(text: str | None) -> Version | None:
    if text is None:
        return None
    try:
        return Version(text)
    except ValueError as error:
        raise UsageError(f"--version: {error}") from error


def _own_region() -> str | None:
    """Return the region that AWS's tools use here, if releases are published in it."""
    name = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return name if name in regions.read() else None


def _previous(program: Installation) -> str:
    if not os.path.isfile(program.previous):
        raise NotAvailable(
            f"there is no version to go back to: {program.previous} is missing",
            hint="to download a certain version, run: awstoe self-update --rollback --version V",
        )
    return program.previous


def _read_signature(previous: str) -> bytes:
    path = previous + layout.SIGNATURE
    try:
        return plain_files.read(path, limits.SIGNATURE_BYTES, follow_link=False)
    except OSError as error:
        raise Untrusted(
            f"{path}: {error.strerror}: cannot check whether {previous} is a release",
            hint="to download a certain version, run: awstoe self-update --rollback --version V",
        ) from error
