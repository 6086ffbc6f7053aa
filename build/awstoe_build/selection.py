"""What goes into the single-file executable and what does not, each with its reason."""

from typing import Final

from awstoe.actions.table import ACTIONS
from awstoe_build.toolchain.cpython import VERSION

EXCLUDED: Final = {
    # For development only.
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
    "tkinter": "for graphical programs",
    "turtle": "for graphical programs",
    "sqlite3": "nothing uses it",
    "lib2to3": "nothing uses it",
    "xmlrpc": "nothing uses it",
    # Optional for the libraries that import them.
    "brotli": "optional for urllib3",
    "brotlicffi": "optional for urllib3",
    "chardet": "optional for requests",
    "h2": "optional for urllib3",
    "OpenSSL": "optional for urllib3",
    "simplejson": "optional for requests",
    "socks": "optional for urllib3",
    "urllib3.contrib.emscripten": "for browsers",
    "urllib3.contrib.pyopenssl": "the ssl module is used instead",
    "cffi": "needed to compile cryptography; at run time only its extension module is",
    "pycparser": "needed to compile cryptography",
    "bcrypt": "optional for cryptography, for private SSH keys",
    "tuf.repository": "needed to publish releases",
    "asn1crypto": "optional for securesystemslib",
    "PyKCS11": "optional for securesystemslib",
    "sigstore": "optional for securesystemslib",
    "azure": "optional for securesystemslib",
    "google": "optional for securesystemslib",
    "hvac": "optional for securesystemslib",
    # awstoe makes no calls to AWS yet; the tooling that signs and publishes does.
    "boto3": "optional for securesystemslib",
    "botocore": "only boto3 uses it",
    "s3transfer": "only boto3 uses it",
    "jmespath": "only boto3 uses it",
    "dateutil": "only boto3 uses it",
    # Extension modules that awstoe never uses: documents are UTF-8, UTF-16 or UTF-32.
    "_multibytecodec": "East Asian encodings",
    "_codecs_cn": "East Asian encodings",
    "_codecs_hk": "East Asian encodings",
    "_codecs_iso2022": "East Asian encodings",
    "_codecs_jp": "East Asian encodings",
    "_codecs_kr": "East Asian encodings",
    "_codecs_tw": "East Asian encodings",
    "bz2": "optional for shutil",
    "_bz2": "optional for shutil",
    "lzma": "optional for shutil",
    "_lzma": "optional for shutil",
    "tarfile": "optional for shutil",
    "_pydecimal": "the extension module is used instead; rich needs fractions, which needs decimal",
    "statistics": "only for the self-test of random",
    "_statistics": "only for the self-test of random",
    # Syntax highlighting and Markdown of rich, which the progress view does not use.
    "pygments": "10 MB that rich needs only for syntax highlighting",
    "markdown_it": "rich needs it only for Markdown",
    "IPython": "optional for rich",
    "ipywidgets": "optional for rich",
}
"""Modules to leave out, each with the reason."""

LOADED_BY_NAME: Final = {
    "_cffi_backend": "cryptography's Rust code imports it",
    "cryptography.x509": "cryptography's Rust code imports it",
}
"""Modules whose import PyInstaller cannot see, each with the reason."""

DATA: Final = {
    "base_library.zip": "modules that the interpreter imports before all others",
    "awstoe/*": "awstoe's own data",
    "certifi/cacert.pem": "CA certificates, for machines without any",
}
"""Patterns for the data files to include, each with the reason. All others are left out."""

AT_START: Final = (
    "base_library.zip",
    "awstoe_build_facts.json",
    f"libpython{VERSION}.so.1.0",
    f"python{VERSION.replace('.', '')}.dll",
    "VCRUNTIME140.dll",
    "_struct",
    "zlib",
)
"""The files and modules that are unpacked at every start: what the interpreter needs before
``inside/late_loading.py`` runs."""

BASE_AT_START: Final = (
    "encodings/__init__.pyc",
    "encodings/aliases.pyc",
    "encodings/utf_8.pyc",
)
"""The part of the base library that the interpreter loads before it can read the archive of
modules. The rest is moved to that archive, because a step may remove the unpack folder."""

EXCLUDED_LIBRARIES: Final = ("libgcc_s.so.1",)
"""PyInstaller would include the build machine's, which needs its C library. We do not need it."""

EXCLUDED_HOOKS: Final = (
    "pyi_rth_inspect",
    "pyi_rth_pkgutil",
    "pyi_rth_multiprocessing",
    "pyi_rth_setuptools",
)
"""PyInstaller's startup code for features that awstoe does not use. It imports inspect and more."""

INTERPRETER_OPTIONS: Final = ("X utf8=1", "u")
"""Options of the interpreter. Their environment variables have no effect on a frozen program."""


def hidden_imports() -> list[str]:
    """Return the modules whose import PyInstaller cannot see."""
    actions = {f"awstoe.actions.{row.module}" for row in ACTIONS.values()}
    return sorted({*actions, *LOADED_BY_NAME})
