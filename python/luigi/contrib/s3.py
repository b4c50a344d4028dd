"""Amazon S3: a client on boto3, targets for objects and for directories with a flag file, and external tasks.

Directories do not exist in S3. Here a path is one if any key lies below it, or if a marker says so: the empty key
``path/``, or ``path_$folder$`` as Hadoop writes it. Settings come from the section ``[s3]``: credentials
(``aws_access_key_id``, ``aws_secret_access_key``, ``aws_session_token``), a role to assume (``aws_role_arn`` with
``aws_role_session_name``), and any argument of ``boto3.resource``. boto3 is imported when the first call is made.
"""

from __future__ import annotations

import datetime
import importlib.util
import logging
import posixpath
import time
import warnings
from collections.abc import Iterator
from configparser import NoSectionError
from typing import Any
from urllib.parse import urlsplit

from luigi import configuration
from luigi.contrib._remote_file import ForwardReader, UploadOnClose
from luigi.format import get_default_format
from luigi.parameter import OptionalParameter, Parameter
from luigi.target import FileAlreadyExists, FileSystem, FileSystemException, FileSystemTarget, MissingParentDirectory
from luigi.task import ExternalTask

logger = logging.getLogger("luigi-interface")

try:
    import botocore
    import botocore.exceptions

    # boto3 itself is slow to import, so here it is only looked for.
    if importlib.util.find_spec("boto3") is None:
        raise ImportError("boto3")
except ImportError:
    logger.warning(
        "Loading S3 module without the python package boto3. Will crash at runtime if S3 functionality is used."
    )

S3_DIRECTORY_MARKER_SUFFIX_0 = "_$folder$"
S3_DIRECTORY_MARKER_SUFFIX_1 = "/"

# Options of [s3] that are always text, even if every character is a digit.
_TEXT_OPTIONS = frozenset(
    ["aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_role_arn", "aws_role_session_name"]
)
# The most keys that one request to S3 may delete.
_DELETE_BATCH = 1000


class InvalidDeleteException(FileSystemException):
    """What was to be removed may not be removed this way: a bucket's root, or a directory without ``recursive``."""


class FileNotFoundException(FileSystemException):
    """There is no object to read at the path."""


class DeprecatedBotoClientException(Exception):
    """An argument of the old library boto was given to a client that uses boto3."""


class S3Client(FileSystem):
    """The operations of a file system on paths like ``s3://bucket/key``."""

    # Bytes per part of a large upload or copy.
    DEFAULT_PART_SIZE = 8388608
    DEFAULT_THREADS = 100

    _s3: Any = None

    def __init__(
        self,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Take the settings of ``[s3]``, then those given here; ``kwargs`` go to ``boto3.resource``."""
        credentials = {
            "aws_access_key_id": aws_access_key_id,
            "aws_secret_access_key": aws_secret_access_key,
            "aws_session_token": aws_session_token,
        }
        given = {name: value for name, value in credentials.items() if value}
        self._options = {**self._get_s3_config(), **kwargs, **given}

    @property
    def s3(self) -> Any:
        """The boto3 resource for S3, made at first use. It may be set to another one.

        Raises :class:`DeprecatedBotoClientException` if boto3 does not know an option.
        """
        if self._s3:
            return self._s3

        import boto3

        options = dict(self._options)
        credentials = {
            name: options.pop(name, None)
            for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        }
        role = options.pop("aws_role_arn", None)
        session_name = options.pop("aws_role_session_name", None)
        if role and session_name:
            credentials = self._assume_role(role, session_name)
        if not (credentials["aws_access_key_id"] and credentials["aws_secret_access_key"]):
            logger.debug("no credentials provided, delegating credentials resolution to boto3")

        try:
            self._s3 = boto3.resource("s3", **credentials, **options)
        except TypeError as error:
            logger.error(error.args[0])
            if "got an unexpected keyword argument" in error.args[0]:
                raise DeprecatedBotoClientException(
                    "Now using boto3. Check that you're passing the correct arguments"
                ) from error
            raise
        return self._s3

    @s3.setter
    def s3(self, value: Any) -> None:
        self._s3 = value

    @staticmethod
    def _assume_role(role: str, session_name: str) -> dict[str, str | None]:
        import boto3

        granted = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName=session_name)["Credentials"]
        logger.debug("using aws credentials via assumed role %s as defined in luigi config", session_name)
        return {
            "aws_access_key_id": granted.get("AccessKeyId"),
            "aws_secret_access_key": granted.get("SecretAccessKey"),
            "aws_session_token": granted.get("SessionToken"),
        }

    def exists(self, path: str) -> bool:
        """Return whether ``path`` is an object or a directory. A bucket's root always exists."""
        bucket, key = self._path_to_bucket_and_key(path)
        if self._is_root(key) or self._exists(bucket, key) or self.isdir(path):
            return True
        logger.debug("Path %s does not exist", path)
        return False

    def remove(self, path: str, recursive: bool = True) -> bool:  # type: ignore[override]
        """Delete an object, or a directory with all below it; return whether anything was there.

        Raises :class:`InvalidDeleteException` for the root of a bucket, for a directory without ``recursive``, and if
        S3 refuses to delete a key.
        """
        if not self.exists(path):
            logger.debug("Could not delete %s; path does not exist", path)
            return False

        bucket, key = self._path_to_bucket_and_key(path)
        if self._is_root(key):
            raise InvalidDeleteException("Cannot delete root of bucket at path %s" % path)
        # The object "dir/" is only the marker of a directory, which is to go with all below it.
        if self._exists(bucket, key) and not (recursive and key.endswith("/")):
            self.s3.meta.client.delete_object(Bucket=bucket, Key=key)
            logger.debug("Deleting %s from bucket %s", key, bucket)
            return True
        if not recursive and self.isdir(path):
            raise InvalidDeleteException("Path %s is a directory. Must use recursive delete" % path)
        return self._remove_dir(bucket, key)

    def _remove_dir(self, bucket: str, key: str) -> bool:
        below = self.s3.Bucket(bucket).objects.filter(Prefix=self._add_path_delimiter(key))
        doomed = [{"Key": item.key} for item in below]
        marker = key + S3_DIRECTORY_MARKER_SUFFIX_0
        if self._exists(bucket, marker):
            doomed.append({"Key": marker})
        for start in range(0, len(doomed), _DELETE_BATCH):
            batch = {"Objects": doomed[start : start + _DELETE_BATCH]}
            failed = self.s3.meta.client.delete_objects(Bucket=bucket, Delete=batch).get("Errors")
            if failed:
                raise InvalidDeleteException("S3 did not delete %d keys, the first is %s" % (len(failed), failed[0]))
        return bool(doomed)

    def move(self, source_path: str, destination_path: str, **kwargs: Any) -> None:  # type: ignore[override]
        """Copy an object or a directory, then remove the original; ``kwargs`` are those of :meth:`copy`."""
        self.copy(source_path, destination_path, **kwargs)
        self.remove(source_path)

    def get_key(self, path: str) -> Any:
        """Return boto3's summary of the object at ``path``, or ``None`` if there is none."""
        bucket, key = self._path_to_bucket_and_key(path)
        return self.s3.ObjectSummary(bucket, key) if self._exists(bucket, key) else None

    def put(self, local_path: str, destination_s3_path: str, **kwargs: Any) -> None:
        """Upload a local file; ``kwargs`` are those of :meth:`put_multipart`."""
        self._check_deprecated_argument(**kwargs)
        self.put_multipart(local_path, destination_s3_path, **kwargs)

    def put_string(self, content: str | bytes, destination_s3_path: str, **kwargs: Any) -> None:
        """Upload ``content``; ``kwargs`` go to boto3's ``put_object``."""
        self._check_deprecated_argument(**kwargs)
        bucket, key = self._path_to_bucket_and_key(destination_s3_path)
        self.s3.meta.client.put_object(Key=key, Bucket=bucket, Body=content, **kwargs)

    def put_multipart(
        self, local_path: str, destination_s3_path: str, part_size: int = DEFAULT_PART_SIZE, **kwargs: Any
    ) -> None:
        """Upload a local file, in parts of ``part_size`` bytes if it is large. The object appears only when whole.

        ``kwargs`` go to S3 with the upload (boto3's ``ExtraArgs``).
        """
        self._check_deprecated_argument(**kwargs)
        from boto3.s3.transfer import TransferConfig

        bucket, key = self._path_to_bucket_and_key(destination_s3_path)
        with open(local_path, "rb") as content:
            self.s3.meta.client.upload_fileobj(
                Fileobj=content,
                Bucket=bucket,
                Key=key,
                Config=TransferConfig(multipart_chunksize=part_size),
                ExtraArgs=kwargs,
            )

    def copy(  # type: ignore[override]
        self,
        source_path: str,
        destination_path: str,
        threads: int = DEFAULT_THREADS,
        start_time: datetime.datetime | None = None,
        end_time: datetime.datetime | None = None,
        part_size: int = DEFAULT_PART_SIZE,
        **kwargs: Any,
    ) -> tuple[int, int]:
        """Copy an object or a directory inside S3; return how many objects and how many bytes that were.

        ``threads`` (at least 3) copy at once. Of a directory only what was modified between ``start_time`` and
        ``end_time`` is copied. ``kwargs`` go to boto3's ``copy`` as ``ExtraArgs``.
        """
        threads = max(threads, 3)
        if self.isdir(source_path):
            return self._copy_dir(source_path, destination_path, threads, start_time, end_time, part_size, **kwargs)
        return self._copy_file(source_path, destination_path, threads, part_size, **kwargs)

    def _copy_file(
        self,
        source_path: str,
        destination_path: str,
        threads: int = DEFAULT_THREADS,
        part_size: int = DEFAULT_PART_SIZE,
        **kwargs: Any,
    ) -> tuple[int, int]:
        bucket, key = self._path_to_bucket_and_key(source_path)
        item = self.get_key(source_path)
        if item is None:
            raise FileNotFoundException("Could not find file at %s" % source_path)
        self._copy_key(bucket, key, destination_path, self._transfer_config(threads, part_size), kwargs)
        return 1, item.size

    def _copy_dir(
        self,
        source_path: str,
        destination_path: str,
        threads: int = DEFAULT_THREADS,
        start_time: datetime.datetime | None = None,
        end_time: datetime.datetime | None = None,
        part_size: int = DEFAULT_PART_SIZE,
        **kwargs: Any,
    ) -> tuple[int, int]:
        from concurrent.futures import ThreadPoolExecutor

        started = time.monotonic()
        config = self._transfer_config(threads, part_size)
        bucket, key = self._path_to_bucket_and_key(source_path)
        prefix_length = len(self._add_path_delimiter(key))
        destination = self._add_path_delimiter(destination_path)
        count = size = 0
        with ThreadPoolExecutor(max_workers=threads) as pool:
            copies = []
            for item in self.list(source_path, start_time=start_time, end_time=end_time, return_key=True):
                name = item.key[prefix_length:]
                # The directory's own marker is no file in it.
                if name in ("", "/"):
                    continue
                count += 1
                size += item.size
                copies.append(pool.submit(self._copy_key, bucket, item.key, destination + name, config, kwargs))
        for copy in copies:
            copy.result()
        logger.info("%s total keys copied in %.1f s", count, time.monotonic() - started)
        return count, size

    def _copy_key(self, bucket: str, key: str, destination_path: str, config: Any, extra_args: dict[str, Any]) -> None:
        to_bucket, to_key = self._path_to_bucket_and_key(destination_path)
        self.s3.meta.client.copy({"Bucket": bucket, "Key": key}, to_bucket, to_key, Config=config, ExtraArgs=extra_args)

    @staticmethod
    def _transfer_config(threads: int, part_size: int) -> Any:
        from boto3.s3.transfer import TransferConfig

        return TransferConfig(max_concurrency=threads, multipart_chunksize=part_size)

    def get(self, s3_path: str, destination_local_path: str) -> None:
        """Download an object into a local file."""
        bucket, key = self._path_to_bucket_and_key(s3_path)
        self.s3.meta.client.download_file(bucket, key, destination_local_path)

    def get_as_bytes(self, s3_path: str) -> bytes:
        """Return what the object holds."""
        bucket, key = self._path_to_bucket_and_key(s3_path)
        return self.s3.Object(bucket, key).get()["Body"].read()

    def get_as_string(self, s3_path: str, encoding: str = "utf-8") -> str:
        """Return what the object holds, as text."""
        return self.get_as_bytes(s3_path).decode(encoding)

    def isdir(self, path: str) -> bool:
        """Return whether ``path`` is a bucket's root, has keys below it, or has a marker of a directory."""
        bucket, key = self._path_to_bucket_and_key(path)
        if self._is_root(key):
            return True
        # The marker "key/" is found by this listing as well.
        below = self.s3.Bucket(bucket).objects.filter(Prefix=self._add_path_delimiter(key), MaxKeys=1).limit(1)
        if any(True for _ in below):
            return True
        return not key.endswith("/") and self._exists(bucket, key + S3_DIRECTORY_MARKER_SUFFIX_0)

    # The method's name in old versions of Luigi.
    is_dir = isdir

    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> None:
        """Write the marker of a directory at ``path``. Nothing has to be done for a bucket's root.

        Raises :class:`~luigi.target.FileAlreadyExists` and :class:`~luigi.target.MissingParentDirectory` as asked.
        """
        if raise_if_exists and self.isdir(path):
            raise FileAlreadyExists()
        if self._is_root(self._path_to_bucket_and_key(path)[1]):
            return
        if not parents and not self.isdir(posixpath.dirname(path.rstrip("/"))):
            raise MissingParentDirectory()
        self.put_string("", self._add_path_delimiter(path))

    def listdir(
        self,
        path: str,
        start_time: datetime.datetime | None = None,
        end_time: datetime.datetime | None = None,
        return_key: bool = False,
    ) -> Iterator[Any]:
        """Yield the full path of every object below ``path``, or boto3's summary of each if ``return_key``.

        Only objects modified after ``start_time`` and before ``end_time`` (both with a time zone) are listed.
        """
        bucket, key = self._path_to_bucket_and_key(path)
        prefix = self._add_path_delimiter(key)
        directory = self._add_path_delimiter(path)
        for item in self.s3.Bucket(bucket).objects.filter(Prefix=prefix):
            modified = item.last_modified
            if (start_time and not start_time < modified) or (end_time and not modified < end_time):
                continue
            yield item if return_key else directory + item.key[len(prefix) :]

    def list(
        self,
        path: str,
        start_time: datetime.datetime | None = None,
        end_time: datetime.datetime | None = None,
        return_key: bool = False,
    ) -> Iterator[Any]:
        """Yield what :meth:`listdir` does, with paths relative to ``path``."""
        directory_length = len(self._add_path_delimiter(path))
        for item in self.listdir(path, start_time=start_time, end_time=end_time, return_key=return_key):
            yield item if return_key else item[directory_length:]

    @staticmethod
    def _get_s3_config(key: str | None = None) -> Any:
        """Return the options of ``[s3]``, or the one named ``key``; what ``[DEFAULT]`` alone says is left out."""
        parser = configuration.get_config()
        try:
            section = dict(parser.items("s3"))
        except (NoSectionError, KeyError):
            # The TOML parser keeps its sections elsewhere.
            section = dict((getattr(parser, "data", None) or {}).get("s3", {}))
        options = {name: S3Client._typed_option(name, value) for name, value in section.items()}
        if key:
            return options.get(key)
        defaults = parser.defaults()
        return {name: value for name, value in options.items() if name not in defaults or defaults[name] != value}

    @staticmethod
    def _typed_option(name: str, value: Any) -> Any:
        # boto3 wants numbers and truth values as such, and which options it has is its own affair.
        if not isinstance(value, str) or name in _TEXT_OPTIONS:
            return value
        if name in ("use_ssl", "verify") and value.lower() in ("true", "false"):
            return value.lower() == "true"
        try:
            return int(value)
        except ValueError:
            return value

    @staticmethod
    def _path_to_bucket_and_key(path: str) -> tuple[str, str]:
        # A key may hold "#" and "?", so neither starts anything else.
        parts = urlsplit(path, allow_fragments=False)
        return parts.netloc, parts.path[1:] + ("?" + parts.query if parts.query else "")

    @staticmethod
    def _is_root(key: str) -> bool:
        return key in ("", "/")

    @staticmethod
    def _add_path_delimiter(key: str) -> str:
        return key if not key or key.endswith("/") else key + "/"

    @staticmethod
    def _check_deprecated_argument(**kwargs: Any) -> None:
        if "encrypt_key" in kwargs:
            raise DeprecatedBotoClientException(
                "boto3 has no encrypt_key: ask for encryption by its own arguments, such as ServerSideEncryption"
            )
        if "host" in kwargs:
            raise DeprecatedBotoClientException(
                "boto3 has no host: give region_name (such as us-west-1) or endpoint_url instead"
            )

    def _exists(self, bucket: str, key: str) -> bool:
        try:
            self.s3.Object(bucket, key).load()
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return False
            raise
        return True


class AtomicS3File(UploadOnClose):
    """A local file that becomes an S3 object when it is closed."""

    def __init__(self, path: str, s3_client: S3Client, **kwargs: Any) -> None:
        """Write for ``path``; ``kwargs`` are those of :meth:`S3Client.put_multipart`."""
        self.s3_client = s3_client
        self.s3_options = kwargs
        super().__init__(path)

    def move_to_final_destination(self) -> None:
        """Upload the file."""
        self.s3_client.put_multipart(self.tmp_path, self.path, **self.s3_options)


class ReadableS3File(ForwardReader):
    """The bytes of an S3 object, as they arrive."""

    s3_key: Any = None

    def __init__(self, s3_key: Any) -> None:
        """Open the object whose boto3 summary is ``s3_key``."""
        self.s3_key = s3_key.get()["Body"]
        self.buffer: list[bytes] = []
        self.finished = False

    def read(self, size: int | None = None) -> bytes:
        """Return the next ``size`` bytes, or all that are left."""
        return self.s3_key.read(size)

    def close(self) -> None:
        """Give the connection back."""
        if self.s3_key is not None:
            self.s3_key.close()
        super().close()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines, each with its newline."""
        for chunk in self.s3_key:
            first, *others = chunk.split(b"\n")
            self.buffer.append(first)
            for piece in others:
                yield b"".join(self.buffer) + b"\n"
                self.buffer = [piece]
        rest = b"".join(self.buffer)
        self.buffer = []
        self.finished = True
        if rest:
            yield rest
        self.close()


class S3Target(FileSystemTarget):
    """An object in S3."""

    fs: Any = None

    def __init__(self, path: str, format: Any = None, client: S3Client | None = None, **kwargs: Any) -> None:
        """Name the object at ``path``; ``kwargs`` are those of :meth:`S3Client.put_multipart`."""
        super().__init__(path)
        self.format = get_default_format() if format is None else format
        self.fs = client or S3Client()
        self.s3_options = kwargs

    def open(self, mode: str = "r") -> Any:
        """Open the object for reading (``r``) or writing (``w``).

        Raises :class:`FileNotFoundException` if there is nothing to read.
        """
        if mode == "w":
            return self.format.pipe_writer(AtomicS3File(self.path, self.fs, **self.s3_options))
        if mode != "r":
            raise ValueError("Unsupported open mode '%s'" % mode)
        summary = self.fs.get_key(self.path)
        if not summary:
            raise FileNotFoundException("Could not find file at %s" % self.path)
        return self.format.pipe_reader(ReadableS3File(summary))


class S3FlagTarget(S3Target):
    """A directory in S3 that counts as there once it holds a flag file.

    Jobs on a cluster write many files and the flag last; renaming the files one by one instead would be slow.
    """

    def __init__(
        self, path: str, format: Any = None, client: S3Client | None = None, flag: str | None = "_SUCCESS"
    ) -> None:
        """Name the directory ``path``, which ends with a slash; ``None`` as ``flag`` means ``_SUCCESS``."""
        if not path.endswith("/"):
            raise ValueError("S3FlagTarget requires the path to be to a directory.  It must end with a slash ( / ).")
        super().__init__(path, format, client)
        self.flag = "_SUCCESS" if flag is None else flag

    def exists(self) -> bool:
        """Return whether the flag file is there."""
        return self.fs.exists(self.path + self.flag)


class S3EmrTarget(S3FlagTarget):
    """The old name of :class:`S3FlagTarget`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn("S3EmrTarget is deprecated. Please use S3FlagTarget", stacklevel=2)
        super().__init__(*args, **kwargs)


class S3PathTask(ExternalTask):
    """Something else writes the object at ``path``."""

    path = Parameter()

    def output(self) -> S3Target:
        """Return the object."""
        return S3Target(self.path)


class S3EmrTask(ExternalTask):
    """Something else writes the directory ``path`` and its flag file; the old form of :class:`S3FlagTask`."""

    path = Parameter()

    def output(self) -> S3EmrTarget:
        """Return the directory."""
        return S3EmrTarget(self.path)


class S3FlagTask(ExternalTask):
    """Something else writes the directory ``path`` and the file ``flag`` in it (``_SUCCESS`` by default)."""

    path = Parameter()
    flag = OptionalParameter(default=None)

    def output(self) -> S3FlagTarget:
        """Return the directory."""
        return S3FlagTarget(self.path, flag=self.flag)
