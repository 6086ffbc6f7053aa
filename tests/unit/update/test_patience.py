"""When a region is asked again, and how long that is waited for."""

import pytest

from awstoe import limits
from awstoe.host.network.errors import HttpStatusError
from awstoe.update.repository import retry_delay


def test_pauses_double_and_come_to_an_end() -> None:
    first, second = retry_delay(1), retry_delay(2)
    assert first is not None
    assert second is not None
    assert limits.UPDATE_RETRY_SECONDS <= first <= 2 * limits.UPDATE_RETRY_SECONDS <= second
    assert retry_delay(limits.UPDATE_ATTEMPTS) is None


def test_not_all_machines_come_back_at_the_same_time() -> None:
    assert len({retry_delay(1) for _ in range(50)}) > 1


@pytest.mark.parametrize("seconds", [5.0, limits.UPDATE_RETRY_AFTER_SECONDS])
def test_wish_of_the_server_is_heeded(seconds: float) -> None:
    assert retry_delay(1, HttpStatusError("busy", 503, retry_after=seconds)) == seconds


def test_wish_of_the_server_that_is_too_long() -> None:
    seconds = limits.UPDATE_RETRY_AFTER_SECONDS + 1
    assert retry_delay(1, HttpStatusError("busy", 503, retry_after=seconds)) is None
