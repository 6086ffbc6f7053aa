"""What goes into the single file and what stays out, each with its reason."""

from typing import Final

from awstoe.actions.table import ACTIONS
from awstoe_build.toolchain.cpython import VERSION

EXCLUDED: Final = {
    # for development only
    "setuptools": "a build tool",
    "pkg_resources": "part of setuptools",
    "_distutils_hack": "part of setuptools",
    "unittest": "for tests",
    "doctest": "for tests",
    "pdb": "for tests",
    "pydoc": "for interactive use",
    "pydoc_data": "for interactive use",
    "_pyrepl": "for interactive use",
    "readline": "for interactive use",
    "tkinter": "for windows on a screen",
    "turtle": "for windows on a screen",
    "sqlite3": "nothing uses it",
    "lib2to3": "nothing uses it",
    "xmlrpc": "nothing uses it",
    # What libraries look for and do without
    "awscrt": "botocore looks for it",
    "brotli": "urllib3 looks for it",
    "brotlicffi": "urllib3 looks for it",
    "chardet": "requests looks for it",
    "h2": "urllib3 looks for it",
    "OpenSSL": "urllib3 looks for it",
    "simplejson": "requests looks for it",
    "socks": "urllib3 looks for it",
    "urllib3.contrib.emscripten": "for browsers",
    "urllib3.contrib.pyopenssl": "the ssl module does",
    "cffi": "cryptography is compiled with it; its extension alone runs",
    "pycparser": "for compiling cryptography",
    "bcrypt": "cryptography looks for it, for private keys of SSH",
    "dateutil.zoneinfo": "a copy of the time zones; AWS speaks UTC",
    "tuf.repository": "for those who publish",
    "asn1crypto": "securesystemslib looks for it",
    "PyKCS11": "securesystemslib looks for it",
    "sigstore": "securesystemslib looks for it",
    "azure": "securesystemslib looks for it",
    "google": "securesystemslib looks for it",
    "hvac": "securesystemslib looks for it",
    # Unpacked at every start and never used: documents are UTF-8, UTF-16 or UTF-32
    "_multibytecodec": "encodings of East Asia",
    "_codecs_cn": "encodings of East Asia",
    "_codecs_hk": "encodings of East Asia",
    "_codecs_iso2022": "encodings of East Asia",
    "_codecs_jp": "encodings of East Asia",
    "_codecs_kr": "encodings of East Asia",
    "_codecs_tw": "encodings of East Asia",
    "bz2": "shutil does without",
    "_bz2": "shutil does without",
    "lzma": "shutil does without",
    "_lzma": "shutil does without",
    "tarfile": "shutil does without",
    "_pydecimal": "the extension does; rich needs fractions, and these decimal",
    "statistics": "random's self-test only",
    "_statistics": "random's self-test only",
    # rich's colouring of program text and its Markdown, which the progress view does not use
    "pygments": "10 MB that rich loads for program text only",
    "markdown_it": "rich loads it for Markdown only",
    "IPython": "rich looks for it",
    "ipywidgets": "rich looks for it",
}
"""Modules that stay out, each with its reason."""

LOADED_BY_NAME: Final = {
    "boto3.s3.inject": "boto3 loads it when a client for S3 is made",
    "botocore.crt": "botocore asks whether it is there",
    "html.parser": "botocore loads it for descriptions",
    "_cffi_backend": "cryptography loads it out of Rust",
    "cryptography.x509": "cryptography loads it out of Rust",
}
"""Modules that are imported by others than Python code, each with its reason."""

BOTOCORE_SERVICES: Final = {
    "s3": "S3Download, S3Upload, documents and parameters at s3://, logs",
    "sts": "credentials of assumed roles",
    "sso": "credentials of `aws sso login`",
    "sso-oidc": "credentials of `aws sso login`",
    "ssm": "parameters at ssm:",
    "imagebuilder": "components by their ARN",
    "logs": "log streams",
}
"""Whose descriptions get in. All of them would be 25 MB."""

DATA: Final = {
    "base_library.zip": "what the interpreter imports before anything else",
    "awstoe/*": "the product's own",
    "certifi/cacert.pem": "certificate authorities, for machines without any",
    "botocore/data/_retry.json": "when which error is tried again",
    "botocore/data/endpoints.json": "which region has which service",
    "botocore/data/partitions.json": "which partition a region is in",
    "botocore/data/sdk-default-configuration.json": "time-outs",
    **{f"botocore/data/{name}/*": why for name, why in BOTOCORE_SERVICES.items()},
}
"""Data files that get in, by pattern, each with its reason. No other does."""

DATA_LEFT_OUT: Final = ("*/examples-1.json",)
"""Among these: nobody reads them."""

AT_START: Final = (
    "base_library.zip",
    "awstoe_build_facts.json",
    f"libpython{VERSION}.so.1.0",
    f"python{VERSION.replace('.', '')}.dll",
    "VCRUNTIME140.dll",
    "_struct",
    "zlib",
)
"""What the interpreter needs before a module can unpack what it needs: nothing else is unpacked at
every start."""

BASE_AT_START: Final = (
    "encodings/__init__.pyc",
    "encodings/aliases.pyc",
    "encodings/utf_8.pyc",
)
"""What of the base library the interpreter loads before it can read the archive of modules. The
file may be gone later, so nothing else is in it."""

LIBRARIES_LEFT_OUT: Final = ("libgcc_s.so.1",)
"""PyInstaller would take the build machine's, made for its C library; nothing of ours needs it."""

HOOKS_LEFT_OUT: Final = (
    "pyi_rth_inspect",
    "pyi_rth_pkgutil",
    "pyi_rth_multiprocessing",
    "pyi_rth_setuptools",
)
"""Start-up code for what awstoe does not do; it loads inspect and more."""

INTERPRETER_OPTIONS: Final = ("X utf8=1", "u")
"""Fixed when freezing: the environment variables for them have no effect on a frozen program."""


def hidden_imports() -> list[str]:
    """The modules that PyInstaller cannot see an import of."""
    actions = {f"awstoe.actions.{row.module}" for row in ACTIONS.values()}
    return sorted({*actions, *LOADED_BY_NAME})
