"""The libraries in an executable work with nothing but what is in it.

The tests unpack the executable and run the interpreter that froze it with only those modules and
files. They need the executable and its toolchain.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from awstoe import __version__
from awstoe_build.__main__ import cache_folder
from awstoe_build.inspection import bundle
from awstoe_build.targets import BUILD_MACHINE
from awstoe_build.toolchain import cpython
from awstoe_build.toolchain.layers import key

ROOT = Path(__file__).parent.parent.parent
FILE = ROOT / "dist" / __version__ / "linux" / "amd64" / "awstoe"
RECIPE = cpython.recipe(BUILD_MACHINE)
LAYER = Path(cache_folder(), f"{RECIPE.name}-{key(RECIPE)}", "content")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not FILE.is_file() or not LAYER.is_dir(),
    reason="needs an executable and its toolchain: run make build",
)
UNCHECKED = bytes(12)
"""The header after the magic number, for bytecode that is not checked against a source."""
ALONE = """\
import sys
folder = sys.argv[1]
sys.path[:] = [folder, folder + "/python{version}/lib-dynload"]
{code}
"""


FIPS = """\
openssl_conf = all
[all]
providers = providers
alg_section = algorithms
[providers]
fips = fips
[fips]
activate = 1
[algorithms]
default_properties = fips=yes
"""


def python(code: str, folder: Path | str = "", **environment: str) -> str:
    """Run code in the interpreter that froze the executable, and return its output."""
    ended = subprocess.run(
        [cpython.program(str(LAYER)), "-I", "-S", "-B", "-c", code, str(folder)],
        env={
            "LD_LIBRARY_PATH": f"{folder}:{LAYER / 'lib'}",
            "PATH": os.environ["PATH"],
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executable's modules and files, in a folder from which Python can import them."""
    folder = tmp_path_factory.mktemp("inside")
    parts = bundle.read(FILE.read_bytes(), str(FILE))
    packages = {name.rpartition(".")[0] for name in parts.modules}
    magic = bytes.fromhex(python("import importlib.util as u; print(u.MAGIC_NUMBER.hex())"))
    # PyInstaller loads struct before its importer exists, so it is not among the modules.
    for name, code in {**parts.modules, "struct": parts.scripts["struct"]}.items():
        place = folder / name.replace(".", "/")
        path = place / "__init__.pyc" if name in packages else place.with_name(place.name + ".pyc")
        path.parent.mkdir(parents=True, exist_ok=True)
        if code:
            path.write_bytes(magic + UNCHECKED + code)
    for name, data in parts.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def alone(code: str, contents: Path, **environment: str) -> str:
    """Run code with nothing but the executable's content."""
    return python(ALONE.format(version=cpython.VERSION, code=code), contents, **environment)


def test_all_modules_use_the_same_openssl(contents: Path) -> None:
    versions = alone(
        "import hashlib, ssl\n"
        "from cryptography.hazmat.backends.openssl import backend\n"
        "hashlib.new('sha512', b'')\n"
        "print(ssl.OPENSSL_VERSION == backend.openssl_version_text())\n"
        "print(len(ssl.create_default_context().get_ciphers()) > 10)",
        contents,
    )
    assert versions.split() == ["True", "True"]


def test_signatures_are_created_and_verified(contents: Path) -> None:
    alone(
        "from cryptography import x509\n"
        "from cryptography.hazmat.primitives import hashes\n"
        "from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa\n"
        "key = ed25519.Ed25519PrivateKey.generate()\n"
        "key.public_key().verify(key.sign(b'x'), b'x')\n"
        "key = ec.generate_private_key(ec.SECP256R1())\n"
        "scheme = ec.ECDSA(hashes.SHA256())\n"
        "key.public_key().verify(key.sign(b'x', scheme), b'x', scheme)",
        contents,
    )


def test_fips_mode_of_the_machine_has_no_effect(contents: Path, tmp_path: Path) -> None:
    """Its settings are for its own OpenSSL, and name a provider that ours does not have."""
    settings = tmp_path / "openssl.cnf"
    settings.write_text(FIPS)
    output = alone(
        "import hashlib, ssl\n"
        "from cryptography.hazmat.primitives.asymmetric import rsa\n"
        "rsa.generate_private_key(65537, 2048)\n"
        "print(type(hashlib.new('md5', usedforsecurity=False)).__module__)\n"
        "print(len(ssl.create_default_context().get_ciphers()) > 10)",
        contents,
        OPENSSL_CONF=str(settings),
        OPENSSL_FORCE_FIPS_MODE="1",
    )
    assert output.split() == ["_hashlib", "True"]


@pytest.mark.parametrize(
    "modules", ["tuf.ngclient", "pyasn1.codec.der.decoder", "rich.live, rich.table", "yaml._yaml"]
)
def test_a_library_loads(contents: Path, modules: str) -> None:
    alone(f"import {modules}", contents)


def test_ca_certificates_are_inside(contents: Path) -> None:
    count = alone(
        "import certifi, ssl\n"
        "print(len(ssl.create_default_context(cafile=certifi.where()).get_ca_certs()))",
        contents,
    )
    assert int(count) > 50
