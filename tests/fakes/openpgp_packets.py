"""Takes OpenPGP packets apart and changes them without a key."""

from collections.abc import Callable, Sequence

from awstoe.trust.openpgp.packets import Octets, packets


def bodies(data: bytes, tag: int = 2) -> list[bytes]:
    """Return the bodies of the packets of one type."""
    return [each.body for each in packets(data, "data") if each.tag == tag]


def value_at(body: bytes) -> int:
    """Return where the integers of a version 4 signature start."""
    octets = Octets(body, "a signature")
    octets.take(4)
    octets.take(octets.number(2))
    octets.take(octets.number(2) + 2)
    return len(body) - octets.left


def altered(body: bytes, part: str) -> bytes:
    """Return a version 4 signature with one byte changed.

    Args:
        body: The signature.
        part: ``digest start`` or ``value``.
    """
    at = value_at(body) - 1 if part == "digest start" else len(body) - 1
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def with_value(body: bytes, change: Callable[[Sequence[int]], bytes]) -> bytes:
    """Return a version 4 signature with other integers, written from the present ones."""
    at = value_at(body)
    octets = Octets(body[at:], "a signature")
    numbers = []
    while octets.left:
        numbers.append(octets.mpi())
    return body[:at] + change(numbers)
