"""``status``: shows what every region serves now: versions, expiries, and which regions differ."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from tuf.api.metadata import Metadata, Timestamp
from tuf.api.serialization import DeserializationError

from awstoe_release import tables
from awstoe_release.all_regions import in_all_regions
from awstoe_release.configuration import Channel, Configuration, Region
from awstoe_release.plan import METADATA, TIMESTAMP, program_key
from awstoe_release.publishing import Publisher

_BYTES: Final = 1 << 20
_DAY: Final = 86400


def read(
    configuration: Configuration, publisher: Publisher, channel: Channel
) -> dict[str, dict[str, Any]]:
    """Return what each region serves, by name. A region that does not answer has ``failure``."""

    def row(region: Region) -> dict[str, Any]:
        bucket = publisher.bucket(region)
        programs: dict[str, Any] = {}
        for target in configuration.product.targets:
            name = program_key("", target).lstrip("/")
            stored = bucket.head(f"{channel.pointers}/{name}")
            programs[target] = (
                {"version": stored.metadata.get("version", ""), "sha256": stored.checksum}
                if stored
                else None
            )
        if not channel.updates:
            return {"programs": programs}
        timestamp = _timestamp(bucket.get(f"{METADATA}/{TIMESTAMP}", _BYTES))
        return {"programs": programs, "timestamp": timestamp}

    at_once = configuration.publish.concurrency
    rows, failures = in_all_regions(configuration.regions, row, at_once=at_once)
    rows |= {name: {"failure": failure.message} for name, failure in failures.items()}
    found = {each.name: rows[each.name] for each in configuration.regions}
    _mark_drift(found)
    return found


def _timestamp(data: bytes | None) -> dict[str, Any] | None:
    if data is None:
        return None
    try:
        stamp = Metadata[Timestamp].from_bytes(data).signed
    except DeserializationError as error:
        return {"problem": str(error)}
    days = (stamp.expires - dt.datetime.now(dt.UTC)).total_seconds() / _DAY
    return {
        "version": stamp.version,
        "snapshot": stamp.snapshot_meta.version,
        "expires": stamp.expires.isoformat(),
        "days": round(days, 1),
    }


def _mark_drift(found: dict[str, dict[str, Any]]) -> None:
    """Mark the regions that do not serve what most regions serve."""
    served = {name: repr(_served(row)) for name, row in found.items() if "failure" not in row}
    if not served:
        return
    usual, _ = Counter(served.values()).most_common(1)[0]
    for name, what in served.items():
        found[name]["drift"] = what != usual


def _served(row: Mapping[str, Any]) -> object:
    stamp = row.get("timestamp") or {}
    return row["programs"], stamp.get("snapshot")


def as_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the status as a table for people."""
    rows = []
    for name, row in found.items():
        if "failure" in row:
            rows.append([name, "-", "-", "-", row["failure"]])
            continue
        versions = {each["version"] for each in row["programs"].values() if each}
        missing = [target for target, each in row["programs"].items() if not each]
        stamp = row.get("timestamp") or {}
        expires = f"{stamp['days']} days" if "days" in stamp else stamp.get("problem", "-")
        notes = [f"missing: {', '.join(missing)}"] if missing and versions else []
        if row.get("drift"):
            notes.append("differs from most regions")
        if stamp.get("days", 1) <= 0:
            notes.append("EXPIRED: run refresh-timestamp")
        rows.append(
            [
                name,
                ", ".join(sorted(versions)) or "nothing",
                str(stamp.get("version", "-")),
                expires,
                "; ".join(notes) or "ok",
            ]
        )
    return tables.text(["region", "version", "timestamp", "expires in", ""], rows)


def is_well(found: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether all regions answer, agree, and have valid metadata."""
    return all(
        "failure" not in row
        and not row.get("drift")
        and (row.get("timestamp") or {"days": 1}).get("days", 0) > 0
        for row in found.values()
    )
