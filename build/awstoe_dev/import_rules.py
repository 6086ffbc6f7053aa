"""The import rules: which package may import which, and which module may use which library.

Data only. ``tests/test_architecture.py`` enforces the rules; ``architecture_picture`` draws them.
"""

from typing import Final

OPEN_TO_ALL: Final = {
    "awstoe.__version__",
    "awstoe.contact",
    "awstoe.errors",
    "awstoe.late_patterns",
    "awstoe.limits",
}
"""What every module may import."""

_KERNEL32: Final = "awstoe.host.kernel32_windows"

# The longest name that fits a module is its row. Platform halves have the row of their folder.
ALLOWED: Final[dict[str, set[str]]] = {
    "awstoe.contact": set(),
    "awstoe.errors": set(),
    "awstoe.late_patterns": set(),
    "awstoe.limits": set(),
    "awstoe.host.platforms": set(),
    "awstoe.host.kernel32_windows": set(),
    "awstoe.host.locale_coercion": set(),
    "awstoe.host.registry": set(),
    "awstoe.host.streams": set(),
    "awstoe.host.files": {"awstoe.host.platforms", _KERNEL32},
    "awstoe.host.executable": {"awstoe.host.files", _KERNEL32},
    "awstoe.host.process": {
        "awstoe.host.executable",
        "awstoe.host.files.foreign_writes",
        "awstoe.host.files.oserrors",
        _KERNEL32,
    },
    "awstoe.host.network": {"awstoe.host.executable"},
    "awstoe.host.machine": {
        "awstoe.host.files",
        "awstoe.host.machine_linux",
        "awstoe.host.machine_windows",
        "awstoe.host.platforms",
        "awstoe.host.process",
    },
    "awstoe.host.machine_linux": {"awstoe.host.files"},
    "awstoe.host.machine_windows": {"awstoe.host.files", "awstoe.host.process", _KERNEL32},
    # Nothing in host imports it.
    "awstoe.host.reboot": {
        "awstoe.host.executable",
        "awstoe.host.files",
        "awstoe.host.machine",
        "awstoe.host.process",
    },
    "awstoe.expressions": set(),
    "awstoe.aws": {"awstoe.host", "awstoe.expressions"},
    "awstoe.actions": {"awstoe.host", "awstoe.aws", "awstoe.expressions"},
    "awstoe.document": {
        "awstoe.expressions",
        "awstoe.actions.table",
        "awstoe.actions.schema",
        "awstoe.actions.fields",
        "awstoe.actions.permissions",
        "awstoe.host.files.paths",
        "awstoe.host.platforms",
    },
    "awstoe.document.syntax": {
        "awstoe.document.diagnostics",
        "awstoe.document.problems",
        "awstoe.document.suggestions",
        "awstoe.expressions.values",
    },
    "awstoe.document.source": {  # reads documents from where they are
        "awstoe.aws",
        "awstoe.document",
        "awstoe.expressions.values",
        "awstoe.host",
    },
    "awstoe.state": {"awstoe.host"},
    "awstoe.engine": {
        "awstoe.document",
        "awstoe.expressions",
        "awstoe.actions",
        "awstoe.state",
        "awstoe.host",
    },
    # Of the engine only its data.
    "awstoe.reporting": {
        "awstoe.engine.events",
        "awstoe.engine.plan",
        "awstoe.engine.records",
        "awstoe.document.model",
        "awstoe.expressions",
        "awstoe.host",
        "awstoe.aws",
    },
    "awstoe.trust": set(),  # pure: bytes and keys in, a verdict out
    "awstoe.update": {"awstoe.trust", "awstoe.host"},  # plain HTTPS, no credentials: never aws
    "awstoe.session": {
        "awstoe.actions.table",
        "awstoe.aws",
        "awstoe.document",
        "awstoe.engine",
        "awstoe.expressions",
        "awstoe.host",
        "awstoe.reporting",
        "awstoe.state",
    },
    "awstoe.cli": {
        "awstoe.actions",
        "awstoe.document",
        "awstoe.host",
        "awstoe.expressions.values",
        "awstoe.reporting.console",
        "awstoe.reporting.progress",
        "awstoe.session",
        "awstoe.trust",
        "awstoe.update",
    },
    "awstoe.__main__": {"awstoe.cli"},
    "awstoe": set(),
    "awstoe_build": {
        "awstoe.actions.table",
        "awstoe.host.files",
        "awstoe.trust.release_trust",
    },
    "awstoe_build.inside": {"awstoe.__main__"},  # runs in the product, never in a build
    "awstoe_dev": {"awstoe.actions.reference", "awstoe_build"},
    "awstoe_signing": {
        "awstoe.host.files",
        "awstoe.host.network",
        "awstoe.trust",
        "awstoe.update.layout",
        "awstoe_build.arguments",  # how a command reads its arguments
        "awstoe_build.failure",  # how a command reports an error
    },
    "awstoe_release": {
        "awstoe.host",
        "awstoe.trust",
        "awstoe.update",
        "awstoe_build",
        "awstoe_signing",
    },
}
"""What a package, or a room of it, may import of the others. Its own modules are always allowed."""

DOORS: Final[dict[str, tuple[str, ...]]] = {
    "subprocess": (
        "awstoe.host.process.*",
        "awstoe_build.commands",
        "awstoe_dev.environment",
        "awstoe_dev.lock",
        "awstoe_release.commands",
        "awstoe_signing.commands",
    ),
    "ctypes": ("awstoe.host.*", "awstoe_build.inside.*"),
    "fcntl": ("awstoe.host.*",),
    "pwd": ("awstoe.host.*",),
    "grp": ("awstoe.host.*",),
    "winreg": ("awstoe.host.*",),
    "msvcrt": ("awstoe.host.*", "awstoe_build.inside.*"),
    "boto3": ("awstoe.aws.*", "awstoe_release.s3", "awstoe_signing.keys.kms"),
    "botocore": ("awstoe.aws.*", "awstoe_release.s3", "awstoe_signing.keys.kms"),
    "requests": ("awstoe_signing.authenticode.timestamp",),
    "urllib3": ("awstoe.host.network.*", "awstoe_signing.authenticode.timestamp"),
    "certifi": ("awstoe.host.network.ca_certificates",),
    "cryptography": ("awstoe.trust.*", "awstoe_signing.*", "awstoe_release.steps.authenticode"),
    "pyasn1": ("awstoe.trust.*", "awstoe_signing.authenticode.*", "awstoe_signing.keys.files"),
    "tuf": ("awstoe.update.*", "awstoe_signing.tuf.*", "awstoe_release.*"),
    "securesystemslib": ("awstoe.update.*", "awstoe_signing.tuf.*", "awstoe_signing.keys.*"),
    "argparse": ("awstoe.cli.*", "awstoe_build.*", "awstoe_release.*", "awstoe_signing.*"),
    "rich": ("awstoe.cli.*", "awstoe.reporting.*"),
    "yaml": ("awstoe.document.syntax.*",),
}
"""Libraries that only some modules may import, everywhere in the repository."""

PRODUCT_DOORS: Final[dict[str, tuple[str, ...]]] = {
    "awstoe_build": (),
    "awstoe_dev": (),
    "awstoe_release": (),
    "awstoe_signing": (),
    "tests": (),
    "dataclasses": (),  # their import and decoration cost more than a whole hello world
    "tempfile": (),  # imports random and with it hashlib
    "logging": (),
    "uuid": ("awstoe.host.machine",),
    "inspect": (),
}
"""The same for the product alone; no modules: nothing in `src/` may import it."""
