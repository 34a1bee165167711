"""The object store of cloud saves: S3."""
