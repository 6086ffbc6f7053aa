"""Keys for the tests of signatures, made once per process."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from fakes.openpgp_forge import NOW, ForgedKey
from unit.trust.openpgp.cases import Keys


@pytest.fixture(scope="session")
def key() -> ForgedKey:
    """The trusted key."""
    return ForgedKey(rsa.generate_private_key(65537, 3072))


@pytest.fixture(scope="session")
def other_key() -> ForgedKey:
    """Another key; each test decides whether it is trusted."""
    return ForgedKey(ed25519.Ed25519PrivateKey.generate(), NOW - 9_000)


@pytest.fixture(scope="session")
def weak_key() -> ForgedKey:
    return ForgedKey(rsa.generate_private_key(65537, 2048))


@pytest.fixture(scope="session")
def keys(key: ForgedKey, other_key: ForgedKey, weak_key: ForgedKey) -> Keys:
    return Keys(key, other_key, weak_key)
