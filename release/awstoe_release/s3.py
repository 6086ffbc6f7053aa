"""The bucket of one region; the only module of the release that sends requests to AWS.

Every request names the account that must own the bucket. Every upload carries the SHA-256 of its
body, which S3 checks before it stores the object; the SHA-256 in S3's response is compared again.
Every problem is a ``RegionFailure`` with text for a user.
"""

import email.utils
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

from awstoe_release import contents
from awstoe_release.configuration import Publish, Region
from awstoe_release.contents import Bandwidth, Content, Piece
from awstoe_release.failure import RegionFailure
from awstoe_release.plan import Item

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

T = TypeVar("T")

_CREDENTIAL_CODES: Final = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
_NOT_FOUND: Final = {"404", "NoSuchKey", "NotFound"}
_CONFLICTS: Final = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
_PART_BYTES: Final = "part-bytes"
_MIB: Final = 1 << 20


class Stored(NamedTuple):
    """An object in a bucket."""

    size: int
    checksum: str
    """SHA-256 in base64, followed by ``-N`` if it was sent in N parts; empty if S3 has none."""
    etag: str
    content_type: str
    cache_control: str
    metadata: Mapping[str, str]

    def holds(self, content: Content) -> bool:
        """Whether the object has this content, by checksum."""
        if self.size != content.size or not self.checksum:
            return False
        if "-" not in self.checksum:
            return self.checksum == contents.encoded(content.sha256)
        part_bytes = self.metadata.get(_PART_BYTES, "")
        if not part_bytes.isdigit() or not int(part_bytes):
            return False
        if int(part_bytes) != content.part_size or not content.parts:
            # Sent with other settings. The size of the parts is a hint, the checksum decides.
            content = contents.read(content.path, part_size=int(part_bytes), multipart_from=0)
        return self.checksum == content.checksum


class Sessions:
    """The credentials, one set for each profile, and the clients made from them."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._sessions: dict[str, boto3.session.Session] = {}

    def open(self, region: Region) -> "Bucket":
        """Return the bucket of a region, without sending a request.

        Raises:
            RegionFailure: The region's AWS profile does not exist.
        """
        publish = self._publish
        try:
            if region.profile not in self._sessions:
                self._sessions[region.profile] = boto3.session.Session(
                    profile_name=region.profile or None
                )
            client = self._sessions[region.profile].client(
                "s3",
                region_name=region.name,
                endpoint_url=region.endpoint or None,
                config=Config(
                    connect_timeout=publish.connect_seconds,
                    read_timeout=publish.read_seconds,
                    max_pool_connections=publish.concurrency,
                    retries={"mode": "standard", "total_max_attempts": publish.attempts},
                    s3={
                        # S3 checks the body by its SHA-256, which is signed: no second hash.
                        "payload_signing_enabled": False,
                        "addressing_style": "path" if region.endpoint else "virtual",
                    },
                ),
            )
        except ProfileNotFound as error:
            raise RegionFailure(
                region.name,
                f"the AWS profile {region.profile!r} of the partition {region.partition} does not"
                " exist",
                hint="add it to ~/.aws/config, or set another one in release.toml",
            ) from error
        return Bucket(region, client, publish)


class Bucket:
    """The bucket of one region; safe to use from several threads."""

    def __init__(self, region: Region, client: "S3Client", publish: Publish) -> None:
        self.region = region
        self._client = client
        self._part_size = publish.part_mib * _MIB
        self._owned: dict[str, Any] = {"Bucket": region.bucket}
        if region.account:
            self._owned["ExpectedBucketOwner"] = region.account

    def clock_skew(self) -> float:
        """Check the bucket. Return by how many seconds our clock is ahead of S3's.

        Raises:
            RegionFailure: The bucket cannot be used.
        """
        response = self._request("read the bucket", lambda: self._client.head_bucket(**self._owned))
        date = response["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return time.time() - email.utils.parsedate_to_datetime(date).timestamp()
        except ValueError:
            return 0.0

    def probe_writing(self, key: str) -> None:
        """Check that ``key`` may be written, without writing: start an upload and abort it.

        Raises:
            RegionFailure: It must not be written.
        """
        started = self._request(
            f"start an upload of {key}",
            lambda: self._client.create_multipart_upload(
                **self._owned, Key=key, ChecksumAlgorithm="SHA256"
            ),
        )
        self._request(
            f"abort an upload of {key}",
            lambda: self._client.abort_multipart_upload(
                **self._owned, Key=key, UploadId=started["UploadId"]
            ),
        )

    def head(self, key: str) -> Stored | None:
        """Return the object with a key, without its contents; None if it does not exist.

        Raises:
            RegionFailure: The request failed.
        """
        try:
            response = self._request(
                f"read {key}",
                lambda: self._client.head_object(**self._owned, Key=key, ChecksumMode="ENABLED"),
            )
        except _NotFound:
            return None
        return Stored(
            size=response["ContentLength"],
            checksum=response.get("ChecksumSHA256", ""),
            etag=response["ETag"],
            content_type=response.get("ContentType", ""),
            cache_control=response.get("CacheControl", ""),
            metadata=response.get("Metadata", {}),
        )

    def names(self, prefix: str) -> Iterator[str]:
        """Return all keys that start with ``prefix``.

        Raises:
            RegionFailure: The request failed.
        """
        token: dict[str, str] = {}
        while True:
            page = self._request(
                f"list {prefix}",
                lambda token=token: self._client.list_objects_v2(  # type: ignore[misc]
                    **self._owned, Prefix=prefix, **token
                ),
            )
            for entry in page.get("Contents", []):
                yield entry["Key"]
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def get(self, key: str, limit: int) -> bytes | None:
        """Return a small object; None if it does not exist.

        Raises:
            RegionFailure: The request failed, or the object is larger than ``limit`` bytes.
        """
        try:
            response = self._request(
                f"read {key}", lambda: self._client.get_object(**self._owned, Key=key)
            )
        except _NotFound:
            return None
        data: bytes = self._request(f"read {key}", lambda: response["Body"].read(limit + 1))
        if len(data) > limit:
            raise RegionFailure(self.region.name, f"{key} is larger than {limit} bytes")
        return data

    def put(
        self,
        item: Item,
        content: Content,
        *,
        metadata: Mapping[str, str],
        bandwidth: Bandwidth,
        sent: Callable[[int], None],
    ) -> None:
        """Send a file. An immutable object is only created, never replaced.

        Args:
            item: The object.
            content: Its file.
            metadata: The object's metadata.
            bandwidth: The limit that all uploads share.
            sent: Called with the number of bytes sent; negative if an attempt failed.

        Raises:
            ObjectExists: The object is immutable and exists.
            RegionFailure: S3 did not store exactly this content.
        """
        fields: dict[str, Any] = {
            **self._owned,
            "Key": item.key,
            "ContentType": item.content_type,
            "CacheControl": item.cache_control,
            "Metadata": dict(metadata),
        }
        once: dict[str, Any] = {"IfNoneMatch": "*"} if item.immutable else {}
        if content.parts:
            stored = self._send_parts(item.key, content, fields, once, bandwidth, sent)
        else:
            with Piece(content.path, 0, content.size, bandwidth=bandwidth, sent=sent) as body:
                stored = self._request(
                    f"write {item.key}",
                    lambda: self._client.put_object(
                        **{**fields, **once, "Body": body},
                        ChecksumAlgorithm="SHA256",
                        ChecksumSHA256=content.checksum,
                    ),
                ).get("ChecksumSHA256", "")
        self._compare(item.key, stored, content.checksum)

    def _send_parts(
        self,
        key: str,
        content: Content,
        fields: Mapping[str, Any],
        once: Mapping[str, Any],
        bandwidth: Bandwidth,
        sent: Callable[[int], None],
    ) -> str:
        """Send a large file part by part. Return S3's checksum of the object."""
        place = {**self._owned, "Key": key}
        self._abort_older(key)
        note = {**fields["Metadata"], _PART_BYTES: str(content.part_size)}
        started = self._request(
            f"start an upload of {key}",
            lambda: self._client.create_multipart_upload(
                **{**fields, "Metadata": note},
                ChecksumAlgorithm="SHA256",
                ChecksumType="COMPOSITE",
            ),
        )
        place["UploadId"] = started["UploadId"]
        try:
            parts: list[Any] = []
            for number, digest in enumerate(content.parts, start=1):
                start = (number - 1) * content.part_size
                length = min(content.part_size, content.size - start)
                checksum = contents.encoded(digest)
                with Piece(content.path, start, length, bandwidth=bandwidth, sent=sent) as body:
                    response = self._request(
                        f"write part {number} of {key}",
                        lambda body=body, number=number, checksum=checksum: (  # type: ignore[misc]
                            self._client.upload_part(
                                **place,
                                PartNumber=number,
                                Body=body,
                                ChecksumAlgorithm="SHA256",
                                ChecksumSHA256=checksum,
                            )
                        ),
                    )
                self._compare(
                    f"part {number} of {key}", response.get("ChecksumSHA256", ""), checksum
                )
                parts.append(
                    {"PartNumber": number, "ETag": response["ETag"], "ChecksumSHA256": checksum}
                )
            whole = self._request(
                f"complete {key}",
                lambda: self._client.complete_multipart_upload(
                    **place, **once, MultipartUpload={"Parts": parts}
                ),
            )
        except BaseException:
            self._abort(place)
            raise
        return str(whole.get("ChecksumSHA256", ""))

    def _abort_older(self, key: str) -> None:
        """Remove the parts that a killed run left of an upload of ``key``."""
        listed = self._request(
            f"list unfinished uploads of {key}",
            lambda: self._client.list_multipart_uploads(**self._owned, Prefix=key),
        )
        for upload in listed.get("Uploads", []):
            if upload["Key"] == key:
                self._abort({**self._owned, "Key": key, "UploadId": upload["UploadId"]})

    def _abort(self, place: Mapping[str, Any]) -> None:
        """Remove the parts of an upload. If this fails, they only cost storage."""
        try:
            self._client.abort_multipart_upload(**place)
        except (BotoCoreError, ClientError):
            pass

    def copy(
        self, item: Item, content: Content, source: Stored, metadata: Mapping[str, str]
    ) -> None:
        """Copy a versioned object to a pointer, inside S3.

        Raises:
            RegionFailure: The versioned object has changed, or the request failed.
        """
        checksum = self.copy_stored(item, source, metadata)
        self._compare(item.key, checksum, contents.encoded(content.sha256))

    def copy_stored(self, item: Item, source: Stored, metadata: Mapping[str, str]) -> str:
        """Copy an object whose contents only the region has. Return S3's checksum of the copy.

        Raises:
            RegionFailure: The versioned object has changed, or the request failed.
        """
        owner: dict[str, Any] = (
            {"ExpectedSourceBucketOwner": self.region.account} if self.region.account else {}
        )
        response = self._request(
            f"copy {item.source} to {item.key}",
            lambda: self._client.copy_object(
                **self._owned,
                **owner,
                Key=item.key,
                CopySource={"Bucket": self.region.bucket, "Key": item.source},
                CopySourceIfMatch=source.etag,
                MetadataDirective="REPLACE",
                ContentType=item.content_type,
                CacheControl=item.cache_control,
                Metadata=dict(metadata),
                ChecksumAlgorithm="SHA256",
            ),
        )
        return str(response.get("CopyObjectResult", {}).get("ChecksumSHA256", ""))

    def remove(self, key: str) -> None:
        """Remove an object.

        Raises:
            RegionFailure: The request failed.
        """
        self._request(f"remove {key}", lambda: self._client.delete_object(**self._owned, Key=key))

    def _compare(self, key: str, stored: str, expected: str) -> None:
        if stored != expected:
            raise RegionFailure(
                self.region.name,
                f"{key}: S3 stored SHA-256 {stored or '(none)'}, expected {expected}",
                hint="run the command again; if this persists, something between this machine and"
                " S3 changes the data",
            )

    def _request(self, doing: str, request: Callable[[], T]) -> T:
        """Send a request. Turn its errors into text for a user."""
        region = self.region
        try:
            return request()
        except ClientError as error:
            raise _refused(region, doing, error) from error
        except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
            raise RegionFailure(
                region.name,
                f"there are no AWS credentials: {error}",
                hint="log in (aws sso login, AWS_PROFILE, AWS_ACCESS_KEY_ID ...), then run the"
                " command again",
            ) from error
        except (EndpointConnectionError, ConnectionClosedError, HTTPClientError) as error:
            raise Unreachable(
                region.name,
                f"cannot {doing}: the region cannot be reached: {error}",
                hint="when the region works again, run: awstoe-release run --from publish --region"
                f" {region.name}",
            ) from error
        except BotoCoreError as error:
            raise RegionFailure(region.name, f"cannot {doing}: {error}") from error
        except OSError as error:
            raise RegionFailure(
                region.name, f"cannot {doing}: {error.strerror or error}"
            ) from error


class ObjectExists(RegionFailure):
    """An immutable object exists already."""


class Unreachable(RegionFailure):
    """The region does not answer."""


class _NotFound(RegionFailure):
    """There is no such object."""


def _refused(region: Region, doing: str, error: ClientError) -> RegionFailure:
    """Return S3's error as text for a user."""
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    reason = error.response.get("Error", {}).get("Message", "") or code
    if code in _CREDENTIAL_CODES:
        return RegionFailure(
            region.name,
            f"cannot {doing}: the AWS credentials are expired or not valid ({code})",
            hint="log in again, then run the command again: it continues where it stopped",
        )
    if code in _CONFLICTS:
        return ObjectExists(region.name, f"cannot {doing}: {reason}")
    # The response to HEAD has no body, and with it no error code but the status.
    if code == "NoSuchBucket" or (code == "404" and error.operation_name == "HeadBucket"):
        return RegionFailure(
            region.name,
            f"the bucket {region.bucket} does not exist",
            hint=f"create it: aws s3 mb s3://{region.bucket} --region {region.name}",
        )
    if code in _NOT_FOUND:
        return _NotFound(region.name, f"cannot {doing}: it does not exist")
    if code == "RequestTimeTooSkewed":
        return RegionFailure(
            region.name,
            f"cannot {doing}: this machine's clock is wrong ({reason})",
            hint="set the clock, for example with: timedatectl set-ntp true",
        )
    if code in {"301", "PermanentRedirect", "AuthorizationHeaderMalformed"} or status == 301:  # noqa: PLR2004
        return RegionFailure(
            region.name,
            f"cannot {doing}: the bucket {region.bucket} is in another region",
            hint=f"create the bucket in {region.name}, or change publish.bucket in release.toml",
        )
    if status == 403:  # noqa: PLR2004
        owner = f" or is not owned by account {region.account}" if region.account else ""
        return RegionFailure(
            region.name,
            f"cannot {doing}: access to the bucket {region.bucket} is denied{owner} ({reason})",
            hint="docs/releasing.md lists the permissions that a release needs",
        )
    return RegionFailure(region.name, f"cannot {doing}: S3 answered {status} {code}: {reason}")
