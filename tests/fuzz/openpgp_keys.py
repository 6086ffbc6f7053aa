"""Private keys that follow from a seed, so that a case is the same every time."""

import random
from functools import cache
from math import gcd

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from fakes.openpgp_forge import ForgedKey

_EXPONENT = 65537
_SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
_WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)


def curve_key(chance: random.Random, created: int) -> ForgedKey:
    """Return an Ed25519 key."""
    private = ed25519.Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    return ForgedKey(private, created)


def rsa_key(number: int, created: int, bits: int = 3072) -> ForgedKey:
    """Return an RSA key; the same numbers return the same key."""
    return ForgedKey(_rsa_private(number, bits), created)


@cache
def _rsa_private(number: int, bits: int) -> rsa.RSAPrivateKey:
    chance = random.Random(f"RSA {number} {bits}")
    p, q = _prime(chance, bits // 2), _prime(chance, bits // 2)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1) // gcd(p - 1, q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    ).private_key()


def _prime(chance: random.Random, bits: int) -> int:
    while True:
        # The two highest bits are set, so the product has all its bits.
        found = chance.getrandbits(bits) | 3 << bits - 2 | 1
        if _is_prime(found) and (found - 1) % _EXPONENT:
            return found


def _is_prime(number: int) -> bool:
    if any(number % small == 0 for small in _SMALL):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, witness, odd, twos) for witness in _WITNESSES)


def _passes(number: int, witness: int, odd: int, twos: int) -> bool:
    """Whether a witness of Miller and Rabin does not show that a number is composite."""
    power = pow(witness, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
