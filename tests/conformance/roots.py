"""Creates minimal root file systems to run an executable in: an old Debian, and only bash.

``bullseye`` is Debian 11 with its required packages, glibc 2.31 and no Python. ``bash`` contains
only the C library, bash and what bash needs: no coreutils, no /etc. debootstrap creates both once,
by unpacking packages without running their scripts, so that it works for other processors too. They
are stored next to the layers of the build. Running in them requires root, to mount and to chroot.
"""

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.running import Ended
from conformance.place import Place
from subject import Subject, chosen

NAMES = ("bullseye", "bash")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ARCHITECTURES = {"amd64": "amd64", "386": "i386", "arm64": "arm64"}
"""Debian's names for our architectures."""
# The C library's files in the root for bash, and the other libraries that bash needs.
LIBRARIES = (
    *("ld-*", "libc[.-]*", "libdl[.-]*", "libm[.-]*", "libpthread[.-]*", "librt[.-]*"),
    *("libutil[.-]*", "libresolv[.-]*", "libnss_files[.-]*", "libnss_dns[.-]*", "libtinfo.so.*"),
)
MAKE_SECONDS = 1200
PROGRAM = "/opt/awstoe"
"""The path of the subject in a root."""


class RootMissing(Exception):
    """A root is not available on this machine. The text has the reason and what to do."""


def obtain(name: str, subject: Subject) -> Path:
    """Return the folder of a root for the subject's machine, which is created if necessary.

    Raises:
        RootMissing: The root cannot be created.
    """
    architecture = ARCHITECTURES.get(subject.name.partition("/")[2], "")
    if sys.platform != "linux" or not architecture:
        raise RootMissing(f"there are no roots for {subject.name}")
    if os.geteuid() != 0:
        raise RootMissing("chroot requires root: run the tests as root")
    folder = _cache() / f"roots-{_key()}" / architecture
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _make(folder, architecture)
    return folder / name


def run(
    place: Place,
    root: Path,
    command: Sequence[str],
    *,
    environment: Sequence[str] = (),
    user: str = "0:0",
    temporary: str = "size=256m",
) -> Ended:
    """Run a command in a read-only root. ``/work`` is the place's folder, ``/tmp`` is writable.

    Args:
        place: The place to work in.
        root: The root.
        command: The program and its arguments.
        environment: The variables besides PATH, as ``NAME=value``.
        user: The numbers of user and group, which may be unknown in the root.
        temporary: The mount options of /tmp.

    Raises:
        RootMissing: This machine does not allow mounts.
    """
    inside = place.folder / "root"
    inside.mkdir(exist_ok=True)
    work = place.folder / "work"
    work.mkdir(exist_ok=True)
    work.chmod(0o1777)
    file = chosen().file
    script = f"""
    set -e
    trap 'exit 99' ERR
    mount --bind {root} {inside}
    mount --bind {file} {inside}{PROGRAM}
    mount -o remount,bind,ro {inside}
    mount --bind {work} {inside}/work
    mount -t proc proc {inside}/proc
    mount -t tmpfs -o {temporary} tmpfs {inside}/tmp
    mount -t tmpfs tmpfs {inside}/dev
    for name in null zero urandom; do
        : > {inside}/dev/$name
        mount --bind /dev/$name {inside}/dev/$name
    done
    trap - ERR
    set +e
    cd /
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin {shlex.join(environment)} \\
        chroot --userspec={user} {inside} /bin/bash -c 'cd /work && exec "$@"' - \\
        {shlex.join(command)}
    code=$?
    ls -A {inside}/tmp >&2
    exit $code"""
    namespaces = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork")
    ended = place.call([*namespaces, "bash", "-c", script], seconds=120)
    if ended.exit_code == 99 or "unshare:" in ended.stderr:
        raise RootMissing(f"this machine does not allow root to mount: {ended.stderr.strip()}")
    return ended


def _cache() -> Path:
    default = Path.home() / ".cache" / "awstoe-build"
    return Path(os.environ.get("AWSTOE_BUILD_CACHE") or default).absolute()


def _key() -> str:
    """Return a key that changes when the roots are created in another way."""
    facts = (*NAMES, *LIBRARIES, "required packages, unpacked", PROGRAM)
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]


def _make(folder: Path, architecture: str) -> None:
    """Create both roots of an architecture, atomically."""
    if not shutil.which("debootstrap") or not KEYRING.exists():
        raise RootMissing("run as root: apt-get install debootstrap debian-archive-keyring")
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    system = new / "bullseye"
    _bootstrap(system, architecture)
    for each in ("debootstrap", "var/cache/apt", "usr/share/doc", "usr/share/locale"):
        shutil.rmtree(system / each, ignore_errors=True)
    _copy_bash(system, new / "bash")
    for root in (system, new / "bash"):
        for each in ("proc", "tmp", "dev", "work"):
            (root / each).mkdir(exist_ok=True)
        program = root / PROGRAM.lstrip("/")
        program.parent.mkdir(exist_ok=True)
        program.touch(mode=0o755)
    new.rename(folder)


def _bootstrap(system: Path, architecture: str) -> None:
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    mirrors = [each for each in listed if each.rstrip("/").endswith("/debian")]
    if not mirrors:
        raise RootMissing("apt on this machine has no Debian mirror: run apt-get update")
    ended = subprocess.run(
        [
            *("debootstrap", "--foreign", "--variant=minbase", f"--arch={architecture}"),
            *(f"--keyring={KEYRING}", "bullseye", str(system), mirrors[0]),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=MAKE_SECONDS,
        check=False,
    )
    if ended.returncode:
        raise RootMissing(f"debootstrap failed: {(ended.stdout + ended.stderr).strip()[-400:]}")


def _copy_bash(system: Path, root: Path) -> None:
    """Copy bash and its libraries to the same paths, and keep links."""
    (root / "bin").mkdir(parents=True)
    shutil.copy2(system / "bin" / "bash", root / "bin" / "bash")
    (root / "bin" / "sh").symlink_to("bash")
    for pattern in LIBRARIES:
        for top in ("lib", "lib64", "usr/lib"):
            for path in [*(system / top).glob(pattern), *(system / top).glob(f"*-gnu*/{pattern}")]:
                copy = root / path.relative_to(system)
                copy.parent.mkdir(parents=True, exist_ok=True)
                if not os.path.lexists(copy):
                    shutil.copy2(path, copy, follow_symlinks=False)
