"""Where a message tells the user to report a problem, before and after the addresses are set."""

import pytest

from awstoe import contact


def test_without_addresses_the_publisher_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "ISSUES", "")
    monkeypatch.setattr(contact, "SECURITY", "")
    assert contact.report_bug() == "report it to the publisher of this program"
    assert contact.report_attack() == "report it to the publisher of this program"


def test_bugs_are_reported_to_the_issue_tracker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "ISSUES", "https://example.org/awstoe/issues")
    assert contact.report_bug() == "report it: https://example.org/awstoe/issues"


def test_attacks_are_reported_in_private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "ISSUES", "https://example.org/awstoe/issues")
    monkeypatch.setattr(contact, "SECURITY", "security@example.org")
    assert contact.report_attack() == "report it: security@example.org"
