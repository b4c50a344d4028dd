"""Azure Blob Storage: a client on azure-storage-blob and a target.

A path is a container, or a container, a slash and the name of a blob in it. There are no directories.
"""

from __future__ import annotations

import logging
import os
import posixpath
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from luigi.contrib._remote_file import ForwardReader, UploadOnClose
from luigi.format import get_default_format
from luigi.target import FileAlreadyExists, FileSystem, FileSystemTarget

logger = logging.getLogger("luigi-interface")

try:
    from azure.storage.blob import BlobServiceClient
except ImportError:
    logger.warning(
        "Loading Azure module without the python package azure-storage-blob. "
        "Will crash at runtime if Azure Blob functionality is used."
    )

# What AzureBlobClient itself makes of its keyword arguments; the others are the package's.
_OWN_ARGUMENTS = ("protocol", "connection_string", "endpoint_suffix", "custom_domain", "token_credential")


class AzureBlobClient(FileSystem):
    """The operations of a file system on one storage account."""

    def __init__(
        self,
        account_name: str | None = None,
        account_key: str | None = None,
        sas_token: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Say which account, and how to log in: with its key, or with a token for shared access.

        Further arguments are ``protocol`` (https), ``endpoint_suffix`` (core.windows.net; other clouds have others),
        ``custom_domain`` (a host that serves the account), ``token_credential`` (an object that gives tokens) and
        ``connection_string`` (which stands for everything else). What is left goes to ``BlobServiceClient``.
        """
        protocol = kwargs.get("protocol", "https")
        if kwargs.get("custom_domain"):
            account_url = "%s://%s/%s" % (protocol, kwargs["custom_domain"], account_name)
        else:
            suffix = kwargs.get("endpoint_suffix", "core.windows.net")
            account_url = "%s://%s.blob.%s" % (protocol, account_name, suffix)
        self.options = {
            "account_name": account_name,
            "account_key": account_key,
            "account_url": account_url,
            "sas_token": sas_token,
        }
        self.kwargs = kwargs

    @property
    def connection(self) -> Any:
        """A new ``BlobServiceClient`` for the account."""
        options = {name: value for name, value in self.kwargs.items() if name not in _OWN_ARGUMENTS}
        if self.kwargs.get("connection_string"):
            return BlobServiceClient.from_connection_string(conn_str=self.kwargs["connection_string"], **options)
        credential = (
            self.options["account_key"] or self.options["sas_token"] or self.kwargs.get("token_credential") or None
        )
        return BlobServiceClient(account_url=self.options["account_url"], credential=credential, **options)

    def container_client(self, container_name: str) -> Any:
        """Return the package's client for a container."""
        return self.connection.get_container_client(container_name)

    def blob_client(self, container_name: str, blob_name: str) -> Any:
        """Return the package's client for a blob."""
        return self.container_client(container_name).get_blob_client(blob_name)

    @contextmanager
    def _leased(self, client: Any, wanted: bool = True) -> Iterator[Any]:
        """Yield a lease, which keeps others from changing the blob until it is given back; ``None`` if not wanted."""
        lease = client.acquire_lease() if wanted else None
        try:
            yield lease
        finally:
            if lease is not None:
                lease.release()

    def upload(self, tmp_path: str, container: str, blob: str, **kwargs: Any) -> None:
        """Upload a local file; the container is created if need be. The blob appears only when it is whole.

        ``progress_callback`` is called with the bytes sent and the bytes in all.
        """
        logger.debug("Uploading file '%s' to container '%s' and blob '%s'", tmp_path, container, blob)
        self.create_container(container)
        client = self.blob_client(container, blob)
        with self._leased(client, client.exists()) as lease, open(tmp_path, "rb") as data:
            client.upload_blob(data, overwrite=True, lease=lease, progress_hook=kwargs.get("progress_callback"))

    def download_as_bytes(self, container: str, blob: str, bytes_to_read: int | None = None) -> bytes:
        """Return what the blob holds, or only its first ``bytes_to_read`` bytes."""
        return self._download_from(container, blob, 0, bytes_to_read)

    def _download_from(self, container: str, blob: str, offset: int, length: int | None) -> bytes:
        logger.debug("Downloading from container '%s' and blob '%s' as bytes", container, blob)
        client = self.blob_client(container, blob)
        if not offset and not length:
            return client.download_blob().readall()
        return client.download_blob(offset=offset, length=length or None).readall()

    def download_as_file(self, container: str, blob: str, location: str) -> Any:
        """Download a blob into a local file and return the blob's properties."""
        logger.debug("Downloading from container '%s' and blob '%s' to %s", container, blob, location)
        client = self.blob_client(container, blob)
        with open(location, "wb") as copy:
            client.download_blob().readinto(copy)
        return client.get_blob_properties()

    def create_container(self, container_name: str) -> Any:
        """Create a container and return its client, or ``None`` if it is there already."""
        if self.exists(container_name):
            return None
        return self.connection.create_container(container_name)

    def delete_container(self, container_name: str) -> None:
        """Delete a container with all its blobs."""
        client = self.container_client(container_name)
        client.delete_container(lease=client.acquire_lease())

    def exists(self, path: str) -> bool:
        """Return whether there is a blob, or a container, at ``path``."""
        container, blob = self.splitfilepath(path)
        return self.container_client(container).exists() if blob is None else self.blob_client(container, blob).exists()

    def remove(self, path: str, recursive: bool = True, skip_trash: bool = True) -> bool:
        """Delete a blob and return whether it was there."""
        if not self.exists(path):
            return False
        container, blob = self.splitfilepath(path)
        client = self.blob_client(container, str(blob))
        # The lease goes with the blob.
        client.delete_blob(lease=client.acquire_lease())
        return True

    def mkdir(self, path: str, parents: bool = True, raise_if_exists: bool = False) -> None:
        """Do nothing, since there are no directories, but raise ``FileAlreadyExists`` if asked to."""
        container, blob = self.splitfilepath(path)
        if raise_if_exists and self.exists(path):
            raise FileAlreadyExists("The Azure blob path '%s' already exists under container '%s'" % (blob, container))

    def isdir(self, path: str) -> bool:
        """Return ``False``: there are no directories."""
        return False

    def move(self, path: str, dest: str) -> bool:
        """Copy a blob, then remove the original; return whether both worked."""
        try:
            return bool(self.copy(path, dest)) and self.remove(path)
        except OSError:
            self.remove(dest)
            return False

    def copy(self, path: str, dest: str) -> Any:
        """Copy a blob inside its container and return what the service says of it (``copy_status``)."""
        container, source_blob = self.splitfilepath(path)
        dest_container, dest_blob = self.splitfilepath(dest)
        if container != dest_container:
            raise Exception(
                "Can't copy blob from '%s' to '%s'. File can be moved within container" % (container, dest_container)
            )
        source = self.blob_client(container, str(source_blob))
        destination = self.blob_client(container, str(dest_blob))
        with self._leased(source) as lease, self._leased(destination, self.exists(dest)) as destination_lease:
            return destination.start_copy_from_url(
                source_url=source.url, source_lease=lease, destination_lease=destination_lease
            )

    def rename_dont_move(self, path: str, dest: str) -> None:
        """Do what :meth:`move` does, since there are no directories to move into."""
        self.move(path, dest)

    @staticmethod
    def splitfilepath(filepath: str) -> tuple[str, str | None]:
        """Return the container and the blob of a path; the blob is ``None`` if there is no slash."""
        container, slash, blob = filepath.partition("/")
        return container, blob if slash else None


class ReadableAzureBlobFile(ForwardReader):
    """The bytes of a blob, from a local copy or asked for piece by piece."""

    def __init__(self, container: str, blob: str, client: AzureBlobClient, download_when_reading: bool, **kwargs: Any):
        """Read a blob; it is downloaded as a whole at the first ``read`` if ``download_when_reading``."""
        self.container = container
        self.blob = blob
        self.client = client
        self.download_when_reading = download_when_reading
        self.azure_blob_options = kwargs
        # Where the copy is, once there is one.
        self.download_file_location: str | None = None
        self.fid: Any = None
        self._offset = 0

    def _local_copy(self) -> Any:
        if self.fid is None:
            folder = tempfile.mkdtemp(prefix="luigi-azureblob-")
            self.download_file_location = os.path.join(folder, posixpath.basename(self.blob))
            self.client.download_as_file(self.container, self.blob, self.download_file_location)
            self.fid = open(self.download_file_location, "rb")
        return self.fid

    def read(self, n: int | None = None) -> bytes:
        """Return the next ``n`` bytes, or all that are left."""
        if n is not None and n < 0:
            n = None
        if self.download_when_reading:
            return self._local_copy().read(n)
        piece = b"" if n == 0 else self._next_piece(n)
        self._offset += len(piece)
        return piece

    def _next_piece(self, n: int | None) -> bytes:
        if not self._offset:
            return self.client.download_as_bytes(self.container, self.blob, n)
        try:
            return self.client._download_from(self.container, self.blob, self._offset, n)
        except Exception as error:
            # There is nothing behind the end.
            if getattr(error, "status_code", None) == 416:
                return b""
            raise

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines, each with its newline."""
        if not self.download_when_reading:
            yield from self.read().splitlines(keepends=True)
        else:
            yield from self._local_copy()

    def close(self) -> None:
        """Delete the local copy."""
        fid, location = self.__dict__.get("fid"), self.__dict__.get("download_file_location")
        if fid is not None and not fid.closed:
            fid.close()
        if location is not None:
            shutil.rmtree(os.path.dirname(location), ignore_errors=True)
            self.download_file_location = None
        super().close()


class AtomicAzureBlobFile(UploadOnClose):
    """A local file that becomes a blob when it is closed."""

    def __init__(self, container: str, blob: str, client: AzureBlobClient, **kwargs: Any) -> None:
        """Write for a blob; ``kwargs`` are those of :meth:`AzureBlobClient.upload`."""
        self.container = container
        self.blob = blob
        self.client = client
        self.azure_blob_options = kwargs
        super().__init__(posixpath.join(container, blob))

    def move_to_final_destination(self) -> None:
        """Upload the file."""
        self.client.upload(self.tmp_path, self.container, self.blob, **self.azure_blob_options)


class AzureBlobTarget(FileSystemTarget):
    """A blob."""

    def __init__(
        self,
        container: str,
        blob: str,
        client: AzureBlobClient | None = None,
        format: Any = None,
        download_when_reading: bool = True,
        progress_callback: Callable[[int, int], None] | None = None,
        **kwargs: Any,
    ) -> None:
        """Name the blob ``blob`` in ``container``. Without a client the access is anonymous.

        If ``download_when_reading`` the blob is read from a local copy. ``progress_callback`` is called during an
        upload with the bytes sent and the bytes in all.
        """
        super().__init__(posixpath.join(container, blob))
        self.container = container
        self.blob = blob
        self.client = client or AzureBlobClient()
        self.format = get_default_format() if format is None else format
        self.download_when_reading = download_when_reading
        self.azure_blob_options = kwargs
        if progress_callback is not None:
            self.azure_blob_options["progress_callback"] = progress_callback

    @property
    def fs(self) -> AzureBlobClient:
        """The client."""
        return self.client

    def open(self, mode: str = "r") -> Any:
        """Open the blob for reading (``r``) or writing (``w``). For bytes, give the target the format ``Nop``."""
        where = (self.container, self.blob, self.client)
        if mode == "r":
            reader = ReadableAzureBlobFile(*where, self.download_when_reading, **self.azure_blob_options)
            return self.format.pipe_reader(reader)
        if mode == "w":
            return self.format.pipe_writer(AtomicAzureBlobFile(*where, **self.azure_blob_options))
        raise ValueError("Unsupported open mode '%s'" % mode)
