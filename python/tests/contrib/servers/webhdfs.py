"""WebHDFS on a local directory: as much of its REST interface as the client asks for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from .http import Handler


class WebHdfsHandler(Handler):
    """Answers for the directory ``root``. Data are redirected once, as from name node to data node."""

    root: Path
    # What was set by SETOWNER, by path.
    owners: dict[str, tuple[str, str]]

    def answer(self) -> None:
        """Carry out the operation ``op``."""
        self.name = self.route.removeprefix("/webhdfs/v1")
        self.local = self.root / self.name.lstrip("/")
        getattr(self, "op_" + self.query["op"].upper())()

    def refuse(self, status: int, kind: str, message: str) -> None:
        """Answer as Hadoop does when it raises a Java exception."""
        self.reply(status, {"RemoteException": {"exception": kind, "javaClassName": kind, "message": message}})

    def missing(self) -> bool:
        """Say so if the path is not there."""
        if self.local.exists():
            return False
        self.refuse(404, "FileNotFoundException", "File does not exist: " + self.name)
        return True

    def redirected(self) -> bool:
        """Send the client to the data node first."""
        if "datanode" in self.query:
            return False
        address = "http://%s%s&datanode=true" % (self.headers["Host"], self.path)
        self.reply(307, Location=address)
        return True

    def status_of(self, path: Path, name: str) -> dict[str, Any]:
        """Return a FileStatus."""
        found = path.stat()
        owner, group = self.owners.get("/" + str(path.relative_to(self.root)), ("me", "staff"))
        return {
            "pathSuffix": name,
            "type": "DIRECTORY" if path.is_dir() else "FILE",
            "length": 0 if path.is_dir() else found.st_size,
            "modificationTime": int(found.st_mtime * 1000),
            "permission": "%o" % (found.st_mode & 0o777),
            "owner": owner,
            "group": group,
            "replication": 1,
            "blockSize": 1 << 27,
            "accessTime": 0,
        }

    def op_GETFILESTATUS(self) -> None:
        if not self.missing():
            self.reply(200, {"FileStatus": self.status_of(self.local, "")})

    def op_LISTSTATUS(self) -> None:
        if self.missing():
            return
        children = [self.local] if self.local.is_file() else sorted(self.local.iterdir())
        found = [self.status_of(child, "" if self.local.is_file() else child.name) for child in children]
        self.reply(200, {"FileStatuses": {"FileStatus": found}})

    def op_GETCONTENTSUMMARY(self) -> None:
        if self.missing():
            return
        below = [self.local, *self.local.rglob("*")]
        files = [path for path in below if path.is_file()]
        summary = {
            "length": sum(path.stat().st_size for path in files),
            "fileCount": len(files),
            "directoryCount": len(below) - len(files),
        }
        self.reply(200, {"ContentSummary": summary})

    def op_MKDIRS(self) -> None:
        self.local.mkdir(parents=True, exist_ok=True)
        self.local.chmod(int(self.query.get("permission", "755"), 8))
        self.reply(200, {"boolean": True})

    def op_DELETE(self) -> None:
        there = self.local.exists()
        if self.local.is_dir():
            if self.query.get("recursive", "").lower() != "true" and any(self.local.iterdir()):
                self.refuse(403, "PathIsNotEmptyDirectoryException", "%s is non empty" % self.name)
                return
            shutil.rmtree(self.local)
        elif there:
            self.local.unlink()
        self.reply(200, {"boolean": there})

    def op_RENAME(self) -> None:
        to = self.root / self.query["destination"].lstrip("/")
        if to.is_dir():
            to = to / self.local.name
        done = self.local.exists() and to.parent.is_dir() and not to.exists()
        if done:
            self.local.rename(to)
        self.reply(200, {"boolean": done})

    def op_SETPERMISSION(self) -> None:
        self.local.chmod(int(self.query["permission"], 8))
        self.reply(200)

    def op_SETOWNER(self) -> None:
        self.owners[self.name] = (self.query.get("owner", ""), self.query.get("group", ""))
        self.reply(200)

    def op_CREATE(self) -> None:
        if self.redirected():
            return
        if self.local.exists() and self.query.get("overwrite", "").lower() != "true":
            self.refuse(403, "FileAlreadyExistsException", "%s for client already exists" % self.name)
            return
        self.local.parent.mkdir(parents=True, exist_ok=True)
        self.local.write_bytes(self.body)
        self.reply(201)

    def op_OPEN(self) -> None:
        if self.missing() or self.redirected():
            return
        start = int(self.query.get("offset", 0))
        end = start + int(self.query["length"]) if "length" in self.query else os.path.getsize(self.local)
        self.reply(200, self.local.read_bytes()[start:end])
