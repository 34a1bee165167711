"""The base class of the servers with an S3 interface."""

from typing import ClassVar

from gameshelf.devstack.servers.base import Server

BUCKET = "library-savegames"


class ObjectServer(Server):
    """A server of objects with one user, who may do everything."""

    access_key: ClassVar[str] = "gameshelf"
    secret_key: ClassVar[str] = "gameshelf-dev-secret"
    bucket: ClassVar[str] = BUCKET

    @property
    def endpoint(self) -> str:
        return f"http://{self.address}"

    def settings(self, bucket: str = BUCKET) -> dict[str, str]:
        """Returns the settings with which the service stores saves in this bucket."""
        return {
            "S3_ENDPOINT": self.endpoint,
            "S3_ACCESS_KEY_ID": self.access_key,
            "S3_SECRET_ACCESS_KEY": self.secret_key,
            "S3_BUCKET_SAVEGAMES": bucket,
        }

    def prepare(self) -> None:
        self.create_bucket(self.bucket)

    def create_bucket(self, name: str) -> None:
        """Makes a bucket (its name has at least 3 characters), unless it is there."""
        # Imported where it is used: it takes half a second that most commands need not wait for.
        from botocore.session import get_session

        client = get_session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )
        try:
            client.create_bucket(Bucket=name)
        except client.exceptions.BucketAlreadyOwnedByYou:
            return
        finally:
            client.close()
