"""Signs requests that clients send to the object store themselves: AWS Signature Version 4 in the query."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

SAMPLE_KEY = "sample"
PAYLOAD_HASH = "x-amz-content-sha256"


class _QueryAuth(S3SigV4QueryAuth):  # type: ignore[misc]  # botocore has no types
    """Signs the hash of the body where the request has it in a header: the store then refuses other bytes."""

    def payload(self, request: AWSRequest) -> str:
        signed: str = request.headers.get(PAYLOAD_HASH) or super().payload(request)
        return signed


class S3Signer:
    """Signs requests about one bucket.

    The client's own ``generate_presigned_url`` resolves the bucket's address again for every key, which takes three
    times as long as signing. This class takes the address once, from a URL that the client has made for ``SAMPLE_KEY``.
    """

    def __init__(self, sample_url: str, region: str) -> None:
        self._bucket_url = sample_url.partition("?")[0].removesuffix(SAMPLE_KEY)
        self._region = region

    def sign(
        self,
        keys: ReadOnlyCredentials,
        method: str,
        key: str,
        seconds: int,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> str:
        """The signed URL, valid for ``seconds``. The signature covers the headers and the query as it is encoded."""
        url = self._bucket_url + quote(key, safe="/~")
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe="~")
        request = AWSRequest(method=method, url=url, headers=dict(headers or {}))
        _QueryAuth(keys, "s3", self._region, expires=seconds).add_auth(request)
        signed: str = request.url
        return signed
