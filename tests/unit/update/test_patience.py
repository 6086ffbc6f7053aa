"""When a region gets another request, and after how long."""

import pytest

from awstoe import limits
from awstoe.host.network.errors import HttpStatusError
from awstoe.update.repository import retry_delay


def test_delays_double_and_then_end() -> None:
    first, second = retry_delay(1), retry_delay(2)
    assert first is not None
    assert second is not None
    assert limits.UPDATE_RETRY_SECONDS <= first <= 2 * limits.UPDATE_RETRY_SECONDS <= second
    assert retry_delay(limits.UPDATE_ATTEMPTS) is None


def test_machines_do_not_all_retry_at_the_same_time() -> None:
    assert len({retry_delay(1) for _ in range(50)}) > 1


@pytest.mark.parametrize("seconds", [5.0, limits.UPDATE_RETRY_AFTER_SECONDS])
def test_requested_delay_is_respected(seconds: float) -> None:
    assert retry_delay(1, HttpStatusError("busy", 503, retry_after=seconds)) == seconds


def test_requested_delay_that_is_too_long_ends_the_requests() -> None:
    seconds = limits.UPDATE_RETRY_AFTER_SECONDS + 1
    assert retry_delay(1, HttpStatusError("busy", 503, retry_after=seconds)) is None
