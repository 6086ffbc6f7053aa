"""The one module of the release that talks to AWS: the bucket of one region.

Every request names the account that must own the bucket. Every upload carries the SHA-256 of its
body, which S3 checks before it stores anything, and what S3 says it stored is compared again. What
cannot be done is a ``RegionFailure`` in a person's words.
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
_NOT_THERE: Final = {"404", "NoSuchKey", "NotFound"}
_CONFLICTS: Final = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
_PART_BYTES: Final = "part-bytes"
_MIB: Final = 1 << 20


class Stored(NamedTuple):
    """What a region has under a key."""

    size: int
    checksum: str
    """SHA-256 in base64, ``-N`` behind it when it came in N parts; empty when S3 has none."""
    etag: str
    content_type: str
    cache_control: str
    metadata: Mapping[str, str]

    def holds(self, content: Content) -> bool:
        """Whether it is this content, by checksum."""
        if self.size != content.size or not self.checksum:
            return False
        if "-" not in self.checksum:
            return self.checksum == contents.encoded(content.sha256)
        told = self.metadata.get(_PART_BYTES, "")
        if not told.isdigit() or not int(told):
            return False
        if int(told) != content.part_size or not content.parts:
            # Sent with other settings. The size of its parts is a hint, the checksum decides.
            content = contents.read(content.path, part_size=int(told), multipart_from=0)
        return self.checksum == content.checksum


class Sessions:
    """The credentials, one set per partition, and the clients made from them."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._sessions: dict[str, boto3.session.Session] = {}

    def open(self, region: Region) -> "Store":
        """The bucket of a region. Nothing is sent yet.

        Raises:
            RegionFailure: Its profile is not there.
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
                        # The body is checked by its SHA-256, which is signed: no second hash.
                        "payload_signing_enabled": False,
                        "addressing_style": "path" if region.endpoint else "virtual",
                    },
                ),
            )
        except ProfileNotFound as error:
            raise RegionFailure(
                region.name,
                f"the AWS profile {region.profile!r} of partition {region.partition} is not there",
                hint="make it in ~/.aws/config, or name another in regions.toml",
            ) from error
        return Store(region, client, publish)


class Store:
    """The bucket of one region; safe to use from several threads."""

    def __init__(self, region: Region, client: "S3Client", publish: Publish) -> None:
        self.region = region
        self._client = client
        self._part_size = publish.part_mib * _MIB
        self._bucket: dict[str, Any] = {"Bucket": region.bucket}
        if region.account:
            self._bucket["ExpectedBucketOwner"] = region.account

    def clock_skew(self) -> float:
        """Ask for the bucket; gives by how many seconds our clock is ahead of S3's.

        Raises:
            RegionFailure: The bucket cannot be used.
        """
        answer = self._ask("look at the bucket", lambda: self._client.head_bucket(**self._bucket))
        told = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return time.time() - email.utils.parsedate_to_datetime(told).timestamp()
        except ValueError:
            return 0.0

    def probe_writing(self, key: str) -> None:
        """Find out whether ``key`` may be written, without writing: begin an upload, give it up.

        Raises:
            RegionFailure: It may not.
        """
        begun = self._ask(
            f"begin an upload of {key}",
            lambda: self._client.create_multipart_upload(
                **self._bucket, Key=key, ChecksumAlgorithm="SHA256"
            ),
        )
        self._ask(
            f"give up an upload of {key}",
            lambda: self._client.abort_multipart_upload(
                **self._bucket, Key=key, UploadId=begun["UploadId"]
            ),
        )

    def look(self, key: str) -> Stored | None:
        """What is under a key; None when nothing is.

        Raises:
            RegionFailure: The region does not say.
        """
        try:
            answer = self._ask(
                f"look at {key}",
                lambda: self._client.head_object(**self._bucket, Key=key, ChecksumMode="ENABLED"),
            )
        except _NotThere:
            return None
        return Stored(
            size=answer["ContentLength"],
            checksum=answer.get("ChecksumSHA256", ""),
            etag=answer["ETag"],
            content_type=answer.get("ContentType", ""),
            cache_control=answer.get("CacheControl", ""),
            metadata=answer.get("Metadata", {}),
        )

    def names(self, prefix: str) -> Iterator[str]:
        """All keys that begin with ``prefix``.

        Raises:
            RegionFailure: The region does not say.
        """
        token: dict[str, str] = {}
        while True:
            asked = token
            page = self._ask(
                f"list {prefix}",
                lambda asked=asked: self._client.list_objects_v2(  # type: ignore[misc]
                    **self._bucket, Prefix=prefix, **asked
                ),
            )
            for entry in page.get("Contents", []):
                yield entry["Key"]
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def get(self, key: str, limit: int) -> bytes | None:
        """A small object; None when it is not there.

        Raises:
            RegionFailure: The region does not give it, or it is larger than ``limit`` bytes.
        """
        try:
            answer = self._ask(
                f"read {key}", lambda: self._client.get_object(**self._bucket, Key=key)
            )
        except _NotThere:
            return None
        data: bytes = self._ask(f"read {key}", lambda: answer["Body"].read(limit + 1))
        if len(data) > limit:
            raise RegionFailure(self.region.name, f"{key} has more than {limit} bytes")
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
        """Send a file. An immutable object is only made, never replaced.

        Args:
            item: The object.
            content: Its file.
            metadata: What to note at the object.
            bandwidth: The limit that all uploads share.
            sent: Told of bytes as they go, and of negative numbers when a try failed.

        Raises:
            ObjectThere: It is immutable and there.
            RegionFailure: S3 did not store exactly this content.
        """
        fields: dict[str, Any] = {
            **self._bucket,
            "Key": item.key,
            "ContentType": item.content_type,
            "CacheControl": item.cache_control,
            "Metadata": dict(metadata),
        }
        once: dict[str, Any] = {"IfNoneMatch": "*"} if item.immutable else {}
        if content.parts:
            told = self._send_parts(item.key, content, fields, once, bandwidth, sent)
        else:
            with Piece(content.path, 0, content.size, bandwidth=bandwidth, sent=sent) as body:
                told = self._ask(
                    f"write {item.key}",
                    lambda: self._client.put_object(
                        **{**fields, **once, "Body": body},
                        ChecksumAlgorithm="SHA256",
                        ChecksumSHA256=content.checksum,
                    ),
                ).get("ChecksumSHA256", "")
        self._compare(item.key, told, content.checksum)

    def _send_parts(
        self,
        key: str,
        content: Content,
        fields: Mapping[str, Any],
        once: Mapping[str, Any],
        bandwidth: Bandwidth,
        sent: Callable[[int], None],
    ) -> str:
        """Send a large file part by part; gives S3's checksum of the whole."""
        place = {**self._bucket, "Key": key}
        self._give_up_older(key)
        note = {**fields["Metadata"], _PART_BYTES: str(content.part_size)}
        begun = self._ask(
            f"begin an upload of {key}",
            lambda: self._client.create_multipart_upload(
                **{**fields, "Metadata": note},
                ChecksumAlgorithm="SHA256",
                ChecksumType="COMPOSITE",
            ),
        )
        place["UploadId"] = begun["UploadId"]
        try:
            parts: list[Any] = []
            for number, digest in enumerate(content.parts, start=1):
                start = (number - 1) * content.part_size
                length = min(content.part_size, content.size - start)
                checksum = contents.encoded(digest)
                with Piece(content.path, start, length, bandwidth=bandwidth, sent=sent) as body:
                    answer = self._ask(
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
                self._compare(f"part {number} of {key}", answer.get("ChecksumSHA256", ""), checksum)
                parts.append(
                    {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}
                )
            whole = self._ask(
                f"complete {key}",
                lambda: self._client.complete_multipart_upload(
                    **place, **once, MultipartUpload={"Parts": parts}
                ),
            )
        except BaseException:
            self._give_up(place)
            raise
        return str(whole.get("ChecksumSHA256", ""))

    def _give_up_older(self, key: str) -> None:
        """Remove what a killed run left of an upload of ``key``."""
        listed = self._ask(
            f"list unfinished uploads of {key}",
            lambda: self._client.list_multipart_uploads(**self._bucket, Prefix=key),
        )
        for upload in listed.get("Uploads", []):
            if upload["Key"] == key:
                self._give_up({**self._bucket, "Key": key, "UploadId": upload["UploadId"]})

    def _give_up(self, place: Mapping[str, Any]) -> None:
        """Remove the parts of an upload; what is left then costs storage, nothing else."""
        try:
            self._client.abort_multipart_upload(**place)
        except (BotoCoreError, ClientError):
            pass

    def copy(
        self, item: Item, content: Content, source: Stored, metadata: Mapping[str, str]
    ) -> None:
        """Make a pointer out of a versioned object, inside S3.

        Raises:
            RegionFailure: The versioned object is not what was looked at, or S3 refuses.
        """
        told = self.copy_stored(item, source, metadata)
        self._compare(item.key, told, contents.encoded(content.sha256))

    def copy_stored(self, item: Item, source: Stored, metadata: Mapping[str, str]) -> str:
        """The same when only the region has the contents; gives S3's checksum of the copy.

        Raises:
            RegionFailure: The versioned object is not what was looked at, or S3 refuses.
        """
        owner: dict[str, Any] = (
            {"ExpectedSourceBucketOwner": self.region.account} if self.region.account else {}
        )
        answer = self._ask(
            f"copy {item.source} to {item.key}",
            lambda: self._client.copy_object(
                **self._bucket,
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
        return str(answer.get("CopyObjectResult", {}).get("ChecksumSHA256", ""))

    def remove(self, key: str) -> None:
        """Remove an object.

        Raises:
            RegionFailure: The region refuses.
        """
        self._ask(f"remove {key}", lambda: self._client.delete_object(**self._bucket, Key=key))

    def _compare(self, key: str, told: str, expected: str) -> None:
        if told != expected:
            raise RegionFailure(
                self.region.name,
                f"{key}: S3 says that it stored SHA-256 {told or '(none)'}, expected {expected}",
                hint="run it again; if it stays, something between here and S3 changes the data",
            )

    def _ask(self, doing: str, request: Callable[[], T]) -> T:
        """Do a request; errors in a person's words."""
        region = self.region
        try:
            return request()
        except ClientError as error:
            raise _refused(region, doing, error) from error
        except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
            raise RegionFailure(
                region.name,
                f"there are no AWS credentials: {error}",
                hint="log in (aws sso login, AWS_PROFILE, AWS_ACCESS_KEY_ID ...) and run it again",
            ) from error
        except (EndpointConnectionError, ConnectionClosedError, HTTPClientError) as error:
            raise Unreachable(
                region.name,
                f"cannot {doing}: the region cannot be reached: {error}",
                hint=f"when it is there again: release run --from publish --region {region.name}",
            ) from error
        except BotoCoreError as error:
            raise RegionFailure(region.name, f"cannot {doing}: {error}") from error
        except OSError as error:
            raise RegionFailure(
                region.name, f"cannot {doing}: {error.strerror or error}"
            ) from error


class ObjectThere(RegionFailure):
    """An immutable object is there already."""


class Unreachable(RegionFailure):
    """The region does not answer at all."""


class _NotThere(RegionFailure):
    """There is no such object."""


def _refused(region: Region, doing: str, error: ClientError) -> RegionFailure:
    """S3's refusal in a person's words."""
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    said = error.response.get("Error", {}).get("Message", "") or code
    if code in _CREDENTIAL_CODES:
        return RegionFailure(
            region.name,
            f"cannot {doing}: the AWS credentials are expired or not valid ({code})",
            hint="log in again and repeat the command: it goes on where it stopped",
        )
    if code in _CONFLICTS:
        return ObjectThere(region.name, f"cannot {doing}: {said}")
    if code == "NoSuchBucket" or (code == "404" and "bucket" in doing):
        return RegionFailure(
            region.name,
            f"the bucket {region.bucket} is not there",
            hint=f"make it: aws s3 mb s3://{region.bucket} --region {region.name}",
        )
    if code in _NOT_THERE:
        return _NotThere(region.name, f"cannot {doing}: it is not there")
    if code == "RequestTimeTooSkewed":
        return RegionFailure(
            region.name,
            f"cannot {doing}: this machine's clock is wrong ({said})",
            hint="set the clock, for example with: timedatectl set-ntp true",
        )
    if code in {"301", "PermanentRedirect", "AuthorizationHeaderMalformed"} or status == 301:  # noqa: PLR2004
        return RegionFailure(
            region.name,
            f"cannot {doing}: the bucket {region.bucket} is in another region",
            hint="buckets must lie in the region that regions.toml names",
        )
    if status == 403:  # noqa: PLR2004
        owner = f" or is not owned by account {region.account}" if region.account else ""
        return RegionFailure(
            region.name,
            f"cannot {doing}: access to the bucket {region.bucket} is denied{owner} ({said})",
            hint="docs/releasing.md has the permissions that a release needs",
        )
    return RegionFailure(region.name, f"cannot {doing}: S3 answered {status} {code}: {said}")
