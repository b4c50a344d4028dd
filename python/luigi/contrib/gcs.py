"""Google Cloud Storage: a client on google-api-python-client, and targets for objects and flagged directories.

Directories do not exist in the store. Here a path is one if an object lies below it; the empty object ``path/`` makes
an empty one.
"""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import mimetypes
import os
import posixpath
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from luigi.contrib import gcp
from luigi.contrib._remote_file import RemovedOnClose, UploadOnClose, remove_quietly
from luigi.format import FileWrapper, get_default_format
from luigi.target import FileAlreadyExists, FileSystem, FileSystemException, FileSystemTarget, NotADirectory

logger = logging.getLogger("luigi-interface")

# The errors, besides the server's own, after which a request is made again.
RETRYABLE_ERRORS: Any = None

try:
    import httplib2
    from googleapiclient import discovery, errors, http
except ImportError:
    logger.warning(
        "Loading GCS module without the python packages googleapiclient & google-auth. "
        "This will crash at runtime if GCS functionality is used."
    )
else:
    RETRYABLE_ERRORS = (httplib2.HttpLib2Error, IOError)

# Bytes sent or received in one request.
CHUNKSIZE = 10 * 1024 * 1024

# The type of content whose name does not tell it.
DEFAULT_MIMETYPE = "application/octet-stream"

# How long, in seconds, and how often to wait until a change can be seen.
EVENTUAL_CONSISTENCY_SLEEP_INTERVAL = 0.1
EVENTUAL_CONSISTENCY_MAX_SLEEPS = 300

# Where several requests are sent as one.
GCS_BATCH_URI = "https://storage.googleapis.com/batch/storage/v1"
# The most requests that the store takes as one.
_BATCH_SIZE = 100

_ATTEMPTS = 5


def is_error_5xx(err: BaseException) -> bool:
    """Return whether the server says that it is at fault."""
    return isinstance(err, errors.HttpError) and err.resp.status >= 500


def gcs_retry(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``function`` be called up to five times while the network or the server fails, 1, 2, 4 and 8 s apart."""

    @functools.wraps(function)
    def retrying(*args: Any, **kwargs: Any) -> Any:
        for attempt in range(1, _ATTEMPTS):
            try:
                return function(*args, **kwargs)
            except Exception as error:
                if not (isinstance(error, RETRYABLE_ERRORS) or is_error_5xx(error)):
                    raise
                logger.warning("%s failed (attempt %d of %d): %r", function.__name__, attempt, _ATTEMPTS, error)
            time.sleep(2 ** (attempt - 1))
        return function(*args, **kwargs)

    return retrying


def _send_in_parts(request: Any) -> Any:
    """Send an upload part by part; return what the store says at the end."""
    while True:
        progress, stored = request.next_chunk()
        if progress:
            logger.debug("Upload progress: %.2f%%", 100 * progress.progress())
        if stored is not None:
            return stored


def _wait_for_consistency(checker: Callable[[], bool]) -> None:
    """Return when ``checker`` says that a change can be seen, or after a bounded wait with a warning."""
    for _ in range(EVENTUAL_CONSISTENCY_MAX_SLEEPS):
        if checker():
            return
        time.sleep(EVENTUAL_CONSISTENCY_SLEEP_INTERVAL)
    logger.warning("A change in GCS cannot be seen yet, although it was made long enough ago")


def _is_missing(error: Any) -> bool:
    return str(error.resp["status"]) == "404"


class InvalidDeleteException(FileSystemException):
    """What was to be removed may not be removed this way: a bucket's root, or a directory without ``recursive``."""


class GCSClient(FileSystem):
    """The operations of a file system on paths like ``gs://bucket/object``."""

    def __init__(
        self,
        oauth_credentials: Any = None,
        descriptor: str = "",
        http_: Any = None,
        chunksize: int = CHUNKSIZE,
        **discovery_build_kwargs: Any,
    ) -> None:
        """Log in with ``oauth_credentials`` (of google-auth), through ``http_``, or with the default credentials.

        ``descriptor`` is the description of the interface, which is otherwise looked up; ``chunksize`` is in bytes;
        the other arguments go to ``googleapiclient.discovery.build``.
        """
        self.chunksize = chunksize
        how = {**gcp.get_authenticate_kwargs(oauth_credentials, http_), **discovery_build_kwargs}
        if descriptor:
            self.client = discovery.build_from_document(descriptor, **how)
        else:
            how.setdefault("cache_discovery", False)
            self.client = discovery.build("storage", "v1", **how)

    def _path_to_bucket_and_key(self, path: str) -> tuple[str, str]:
        # An object's name may hold "#" and "?".
        scheme, bucket, name, query, _ = urlsplit(path, allow_fragments=False)
        assert scheme == "gs", "a path in GCS starts with gs://, this one does not: %s" % path
        return bucket, name[1:] + ("?" + query if query else "")

    def _is_root(self, key: str) -> bool:
        return key in ("", "/")

    def _add_path_delimiter(self, key: str) -> str:
        return key if key.endswith("/") else key + "/"

    def _answers(self, request: Any) -> bool:
        """Carry out ``request`` and return whether what it asks about exists."""
        try:
            request.execute()
        except errors.HttpError as error:
            if _is_missing(error):
                return False
            raise
        return True

    @gcs_retry
    def _obj_exists(self, bucket: str, obj: str) -> bool:
        return self._answers(self.client.objects().get(bucket=bucket, object=obj))

    @gcs_retry
    def _bucket_exists(self, bucket: str) -> bool:
        return self._answers(self.client.buckets().get(bucket=bucket))

    def _list_iter(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        request = self.client.objects().list(bucket=bucket, prefix=prefix)
        while request is not None:
            response = self._execute(request)
            yield from response.get("items", ())
            request = self.client.objects().list_next(request, response)

    @gcs_retry
    def _execute(self, request: Any) -> Any:
        return request.execute()

    @gcs_retry
    def _do_put(self, media: Any, dest_path: str) -> Any:
        bucket, obj = self._path_to_bucket_and_key(dest_path)
        request = self.client.objects().insert(bucket=bucket, name=obj, media_body=media)
        if not media.resumable():
            return request.execute()
        stored = _send_in_parts(request)
        _wait_for_consistency(lambda: self._obj_exists(bucket, obj))
        return stored

    def exists(self, path: str) -> bool:
        """Return whether ``path`` is an object, a directory or a bucket."""
        bucket, obj = self._path_to_bucket_and_key(path)
        if not self._is_root(obj) and self._obj_exists(bucket, obj):
            return True
        return self.isdir(path)

    def isdir(self, path: str) -> bool:
        """Return whether ``path`` is a bucket, or something lies below it."""
        bucket, obj = self._path_to_bucket_and_key(path)
        if self._is_root(obj):
            return self._bucket_exists(bucket)
        prefix = self._add_path_delimiter(obj)
        request = self.client.objects().list(bucket=bucket, prefix=prefix, maxResults=1)
        return bool(self._execute(request).get("items"))

    def remove(self, path: str, recursive: bool = True) -> bool:  # type: ignore[override]
        """Delete an object, or a directory with all below it; return whether anything was there.

        Raises :class:`InvalidDeleteException` for the root of a bucket and for a directory without ``recursive``.
        """
        bucket, obj = self._path_to_bucket_and_key(path)
        if self._is_root(obj):
            raise InvalidDeleteException("Cannot delete root of bucket at path {}".format(path))
        # The object "dir/" is only the marker of a directory, which is to go with all below it.
        if not (recursive and obj.endswith("/")) and self._obj_exists(bucket, obj):
            self._execute(self.client.objects().delete(bucket=bucket, object=obj))
            _wait_for_consistency(lambda: not self._obj_exists(bucket, obj))
            return True
        if not self.isdir(path):
            return False
        if not recursive:
            raise InvalidDeleteException("Path {} is a directory. Must use recursive delete".format(path))
        self._remove_all(bucket, [item["name"] for item in self._list_iter(bucket, self._add_path_delimiter(obj))])
        _wait_for_consistency(lambda: not self.isdir(path))
        return True

    def _remove_all(self, bucket: str, names: list[str]) -> None:
        failed: list[Any] = []

        def note_failure(_number: str, _response: Any, error: Any) -> None:
            if error is not None and not _is_missing(error):
                failed.append(error)

        for start in range(0, len(names), _BATCH_SIZE):
            batch = http.BatchHttpRequest(batch_uri=GCS_BATCH_URI, callback=note_failure)
            for name in names[start : start + _BATCH_SIZE]:
                batch.add(self.client.objects().delete(bucket=bucket, object=name))
            batch.execute()
        if failed:
            raise failed[0]

    def put(self, filename: str, dest_path: str, mimetype: str | None = None, chunksize: int | None = None) -> None:
        """Upload a local file. The object appears only when it is whole."""
        media = http.MediaFileUpload(
            filename,
            mimetype=mimetype or _type_of(dest_path),
            chunksize=chunksize or self.chunksize,
            # There are no chunks of an empty file.
            resumable=os.path.getsize(filename) > 0,
        )
        self._do_put(media, dest_path)

    def _forward_args_to_put(self, kwargs: dict[str, Any]) -> None:
        self.put(**kwargs)

    def put_multiple(
        self,
        filepaths: Iterable[str],
        remote_directory: str,
        mimetype: str | None = None,
        chunksize: int | None = None,
        num_process: int = 1,
    ) -> None:
        """Upload local files into a directory, with ``num_process`` processes at once."""
        if isinstance(filepaths, str):
            raise ValueError("filepaths is one string, not a list of them; a single file is uploaded by put()")
        same = {"mimetype": mimetype, "chunksize": chunksize}
        uploads = [
            {**same, "filename": path, "dest_path": posixpath.join(remote_directory, os.path.basename(path))}
            for path in filepaths
        ]
        if num_process > 1:
            from multiprocessing import Pool

            with Pool(num_process) as pool:
                pool.map(self._forward_args_to_put, uploads)
            return
        for upload in uploads:
            self._forward_args_to_put(upload)

    def put_string(self, contents: str | bytes, dest_path: str, mimetype: str | None = None) -> None:
        """Upload ``contents``; text is encoded as UTF-8."""
        if isinstance(contents, str):
            contents = contents.encode("utf-8")
        mimetype = mimetype or _type_of(dest_path)
        self._do_put(http.MediaIoBaseUpload(io.BytesIO(contents), mimetype, resumable=bool(contents)), dest_path)

    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> None:
        """Write the marker of a directory at ``path``.

        Raises :class:`~luigi.target.FileAlreadyExists` if asked to, and :class:`~luigi.target.NotADirectory`.
        """
        if not self.exists(path):
            self.put_string(b"", self._add_path_delimiter(path), mimetype="text/plain")
        elif raise_if_exists:
            raise FileAlreadyExists()
        elif not self.isdir(path):
            raise NotADirectory()

    def copy(self, source_path: str, destination_path: str) -> None:
        """Copy an object or a directory inside the store."""
        source_bucket, source = self._path_to_bucket_and_key(source_path)
        bucket, destination = self._path_to_bucket_and_key(destination_path)
        if self.isdir(source_path):
            prefix = "" if self._is_root(source) else self._add_path_delimiter(source)
            new_prefix = "" if self._is_root(destination) else self._add_path_delimiter(destination)
            names = [item["name"] for item in self._list_iter(source_bucket, prefix)]
            copies = {name: new_prefix + name[len(prefix) :] for name in names}
        else:
            copies = {source: destination}
        for old, new in copies.items():
            request = self.client.objects().copy(
                sourceBucket=source_bucket, sourceObject=old, destinationBucket=bucket, destinationObject=new, body={}
            )
            self._execute(request)
        _wait_for_consistency(lambda: all(self._obj_exists(bucket, new) for new in copies.values()))

    def rename(self, *args: Any, **kwargs: Any) -> None:
        """Do what :meth:`move` does."""
        self.move(*args, **kwargs)

    def move(self, source_path: str, destination_path: str) -> None:
        """Copy an object or a directory, then remove the original."""
        self.copy(source_path, destination_path)
        self.remove(source_path)

    def listdir(self, path: str) -> Iterator[str]:
        """Yield the full path of every object below ``path``."""
        bucket, obj = self._path_to_bucket_and_key(path)
        prefix = "" if self._is_root(obj) else self._add_path_delimiter(obj)
        directory = self._add_path_delimiter(path)
        for item in self._list_iter(bucket, prefix):
            yield directory + item["name"][len(prefix) :]

    def list_wildcard(self, wildcard_path: str) -> Iterator[str]:
        """Yield the full path of every object that a pattern names: one ``*``, after the last slash."""
        directory, pattern = wildcard_path.rsplit("/", 1)
        assert "*" not in directory, "The '*' wildcard character is only supported after the last '/'"
        assert pattern.count("*") == 1, "Only one '*' wildcard is supported"
        first, last = pattern.split("*")
        start = "%s/%s" % (directory, first)
        for path in self.listdir(directory):
            if path.startswith(start) and path[len(start) :].endswith(last):
                yield path

    @gcs_retry
    def download(
        self, path: str, chunksize: int | None = None, chunk_callback: Callable[[Any], bool] = lambda _: False
    ) -> RemovedOnClose:
        """Return a local copy of an object, open for reading; it is deleted when it is closed.

        After each chunk ``chunk_callback`` gets the file that is written, and ends the download by returning true.
        """
        bucket, obj = self._path_to_bucket_and_key(path)
        handle, name = tempfile.mkstemp(prefix="luigi-gcs-")
        try:
            with open(handle, "wb") as copy:
                # There are no chunks of an empty object.
                if int(self.client.objects().get(bucket=bucket, object=obj).execute()["size"]) > 0:
                    request = self.client.objects().get_media(bucket=bucket, object=obj)
                    downloader = http.MediaIoBaseDownload(copy, request, chunksize=chunksize or self.chunksize)
                    done = False
                    while not done:
                        _, done = downloader.next_chunk()
                        done = bool(chunk_callback(copy)) or done
            return _DeleteOnCloseFile(name, "r")
        except BaseException:
            with contextlib.suppress(OSError):
                remove_quietly(name)
            raise


def _type_of(path: str) -> str:
    return mimetypes.guess_type(path)[0] or DEFAULT_MIMETYPE


_DeleteOnCloseFile = RemovedOnClose


class AtomicGCSFile(UploadOnClose):
    """A local file that becomes an object when it is closed."""

    def __init__(self, path: str, gcs_client: GCSClient) -> None:
        """Write for ``path``."""
        self.gcs_client = gcs_client
        super().__init__(path)

    def move_to_final_destination(self) -> None:
        """Upload the file."""
        self.gcs_client.put(self.tmp_path, self.path)


class GCSTarget(FileSystemTarget):
    """An object in Google Cloud Storage. It is read from a local copy."""

    fs: Any = None

    def __init__(self, path: str, format: Any = None, client: GCSClient | None = None) -> None:
        """Name the object at ``path``; the client is by default one with the default credentials."""
        super().__init__(path)
        self.format = get_default_format() if format is None else format
        self.fs = client or GCSClient()

    def open(self, mode: str = "r") -> Any:
        """Open the object for reading (``r``) or writing (``w``)."""
        if mode not in ("r", "w"):
            raise ValueError(f"Unsupported open mode '{mode}'")
        if mode == "w":
            return self.format.pipe_writer(AtomicGCSFile(self.path, self.fs))
        blocks = io.BufferedReader(self.fs.download(self.path))
        return self.format.pipe_reader(FileWrapper(blocks))


class GCSFlagTarget(GCSTarget):
    """A directory that counts as there once it holds a flag file.

    Jobs on a cluster write many files and the flag last; renaming the files one by one instead would be slow.
    """

    def __init__(self, path: str, format: Any = None, client: GCSClient | None = None, flag: str = "_SUCCESS") -> None:
        """Name the directory ``path``, which ends with a slash, and the flag in it."""
        if not path.endswith("/"):
            raise ValueError("GCSFlagTarget requires the path to be to a directory.  It must end with a slash ( / ).")
        super().__init__(path, format=format, client=client)
        self.flag = flag

    def exists(self) -> bool:
        """Return whether the flag file is there."""
        return self.fs.exists(self.path + self.flag)
