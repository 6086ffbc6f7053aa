"""A virtual machine with a disk of its own, whose power can be cut.

The system is Debian's kernel and an archive in memory with busybox, bash and the program. Only
``/data`` is a disk. The machine is emulated (TCG): hardware acceleration is not needed, and a cut
is the same: ``kill -9`` of qemu loses what the machine had not handed to its disk.
"""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from subject import file_of

TARGET = "linux/amd64"
PACKAGE = "linux-image-cloud-amd64"
PROGRAMS = ("qemu-system-x86_64", "mke2fs", "busybox", "bash", "dpkg-deb", "apt-get", "apt-cache")
DEBIAN_PACKAGES = "qemu-system-x86 e2fsprogs busybox bash dpkg apt"
MODULES = (
    *("crc16", "crc32c_generic", "libcrc32c", "mbcache", "jbd2", "ext4", "virtio_ring", "virtio"),
    *("virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk"),
)
"""Modules of the kernel for the disk, those first that others need."""
LIBRARIES = Path("/lib/x86_64-linux-gnu")
OF_THE_PROGRAM = ("libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libutil.so.1")
"""Parts of the C library that the built file may need besides what bash needs."""
DISK_MEGABYTES = 64
MEMORY_MEGABYTES = 512
LIMIT_SECONDS = 600
"""Only a machine that hangs takes this long."""
END = "POWERCUT END"
"""Begins the line that ``init`` prints when its command has ended, before the exit code."""


class MachineMissing(Exception):
    """There can be no machine here. The text has the reason and what to do."""


class Machine(NamedTuple):
    """What a machine is started from."""

    kernel: Path
    system: Path

    def start(self, disk: Path, mode: str) -> "Running":
        """Start a machine. ``mode`` is the argument of the system's script ``command``."""
        return Running(
            subprocess.Popen(
                [
                    *("qemu-system-x86_64", "-M", "q35", "-accel", "tcg,tb-size=128"),
                    *("-cpu", "qemu64", "-smp", "1", "-m", str(MEMORY_MEGABYTES)),
                    *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
                    *("-serial", "stdio", "-kernel", self.kernel, "-initrd", self.system),
                    *("-drive", f"if=none,id=data,format=raw,file={disk}"),
                    *("-device", "virtio-blk-pci,drive=data", "-append"),
                    f"console=ttyS0 quiet mitigations=off random.trust_cpu=on powercut={mode}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )


class Running:
    """A running machine."""

    def __init__(self, qemu: "subprocess.Popen[bytes]") -> None:
        self.printed: list[str] = []
        self._qemu = qemu
        self._limit = threading.Timer(LIMIT_SECONDS, qemu.kill)
        self._limit.start()

    def lines(self) -> Iterator[str]:
        """Return what the machine prints, line by line, until it is off."""
        assert self._qemu.stdout is not None
        for line in self._qemu.stdout:
            text = line.decode(errors="replace").strip()
            self.printed.append(text)
            yield text

    def cut_power(self) -> None:
        """Cut the power, if it is on: the machine does nothing more, not even a shutdown."""
        self._qemu.kill()
        self._qemu.communicate()
        self._limit.cancel()


def obtain(work: Path, files: dict[str, bytes]) -> Machine:
    """Return a machine whose system has the built program and these files in ``/``.

    Raises:
        MachineMissing: Something is missing here.
    """
    for program in PROGRAMS:
        if shutil.which(program) is None:
            raise MachineMissing(f"{program} is missing: apt-get install {DEBIAN_PACKAGES}")
    built = file_of(TARGET)
    if not built.is_file():
        raise MachineMissing(f"{built} does not exist: make build TARGET={TARGET}")
    kernel = _kernel()
    contents = {"awstoe": built.read_bytes(), **files}
    for program in ("busybox", "bash"):
        path = shutil.which(program)
        assert path is not None
        contents[f"bin/{program}"] = Path(path).read_bytes()
        contents |= {name.lstrip("/"): Path(name).read_bytes() for name in _libraries(path)}
    contents |= {
        f"lib/x86_64-linux-gnu/{name}": (LIBRARIES / name).read_bytes() for name in OF_THE_PROGRAM
    }
    for number, module in enumerate(MODULES):
        file = kernel / f"{module}.ko"
        if file.exists():  # otherwise it is a part of the kernel
            contents[f"modules/{number:02}-{module}.ko"] = file.read_bytes()
    system = work / "system"
    system.write_bytes(_archive(contents))
    return Machine(kernel / "vmlinuz", system)


def make_disk(path: Path) -> None:
    """Make an empty disk."""
    with path.open("wb") as stream:
        stream.truncate(DISK_MEGABYTES << 20)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", path], check=True)


def _kernel() -> Path:
    """Return the folder of Debian's kernel, which is downloaded once.

    Raises:
        MachineMissing: It cannot be downloaded.
    """
    listed = _output("apt-cache", "depends", PACKAGE)
    found = re.search(r"Depends: (linux-image-\S+)", listed)
    if found is None:
        raise MachineMissing(f"apt does not know {PACKAGE}: run apt-get update")
    package = found[1]
    default = Path.home() / ".cache" / "awstoe-build"
    cache = Path(os.environ.get("AWSTOE_BUILD_CACHE") or default).absolute()
    folder = cache / f"kernel-{package}"
    if folder.is_dir():
        return folder
    new = cache / f"kernel-{package}.new-{os.getpid()}"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        _output("apt-get", "download", package, folder=new)
        (archive,) = new.glob("*.deb")
        _output("dpkg-deb", "-x", archive.name, "all", folder=new)
        (kernel,) = (new / "all" / "boot").glob("vmlinuz-*")
        kernel.rename(new / "vmlinuz")
        for module in MODULES:
            for path in sorted((new / "all" / "lib").rglob(f"{module}.ko")):
                path.rename(new / path.name)
        archive.unlink()
        shutil.rmtree(new / "all")
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder


def _libraries(program: str) -> list[str]:
    return re.findall(r"(/\S+) \(0x", _output("ldd", program))


def _output(*argv: str, folder: Path | None = None) -> str:
    ended = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise MachineMissing(f"{' '.join(argv)} failed: {ended.stderr.strip()}")
    return ended.stdout


def _archive(files: dict[str, bytes]) -> bytes:
    """Return a cpio archive (newc) as the kernel unpacks it: files, all executable, and folders."""
    folders = {str(parent) for name in files for parent in Path(name).parents}
    folders |= {"bin", "data", "dev", "proc", "sys", "tmp"}
    folders.discard(".")
    entries = [(name, 0o040755, b"") for name in sorted(folders)]
    entries += [(name, 0o100755, content) for name, content in sorted(files.items())]
    return b"".join(_entries([*entries, ("TRAILER!!!", 0, b"")]))


def _entries(entries: Sequence[tuple[str, int, bytes]]) -> Iterator[bytes]:
    for number, (name, mode, content) in enumerate(entries, 1):
        path = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + path
        yield head + b"\0" * (-len(head) % 4)
        yield content + b"\0" * (-len(content) % 4)
