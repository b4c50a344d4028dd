"""Unpacks tar files that come from elsewhere, and refuses those that would write outside their folder."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SafeExtractor:
    """Unpacks archives into one folder, and nowhere else.

    `SafeExtractor("data").safe_extract("archive.tar")` fills `data` or raises `RuntimeError`.
    """

    def __init__(self, path: str = ".") -> None:
        """Takes the folder to unpack into."""
        self.path = path

    @staticmethod
    def _is_within_directory(directory: str, target: str) -> bool:
        """Says whether `target`, once its `..` are resolved, is `directory` or below it."""
        folder = os.path.abspath(directory)
        return os.path.commonpath([folder, os.path.abspath(target)]) == folder

    def safe_extract(
        self, tar_path: str, members: Iterable[tarfile.TarInfo] | None = None, *, numeric_owner: bool = False
    ) -> None:
        """Unpacks all of an archive, or only `members`.

        Raises `RuntimeError` before anything is written if the name of any member, or what a link in
        the archive points to, lies outside the folder.
        """
        with tarfile.open(tar_path, "r") as archive:
            for member in archive.getmembers():
                self._check(member)
            archive.extractall(self.path, members, numeric_owner=numeric_owner)

    def _check(self, member: tarfile.TarInfo) -> None:
        paths = [os.path.join(self.path, member.name)]
        if member.issym():
            paths.append(os.path.join(self.path, os.path.dirname(member.name), member.linkname))
        elif member.islnk():
            paths.append(os.path.join(self.path, member.linkname))
        if not all(self._is_within_directory(self.path, path) for path in paths):
            raise RuntimeError("Attempted Path Traversal in Tar File")
