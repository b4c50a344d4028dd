"""A program ``hadoop`` that works on a local directory: what ``hadoop fs`` does and prints, in three dialects."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

SCRIPT = """#!/bin/sh
exec "{python}" -S "{module}" "{root}" "{dialect}" "$@"
"""


def install(folder: Path, root: Path, dialect: str = "cdh4") -> str:
    """Write the program into ``folder`` and return its path. HDFS is the directory ``root``."""
    program = folder / ("hadoop-" + dialect)
    program.write_text(SCRIPT.format(python=sys.executable, module=__file__, root=root, dialect=dialect))
    program.chmod(0o755)
    return str(program)


class Failure(Exception):
    """What goes to standard error, before the exit code 1."""


class Hadoop:
    """One run of the program."""

    def __init__(self, root: str, dialect: str) -> None:
        self.root = Path(root)
        self.dialect = dialect

    def local(self, path: str) -> Path:
        """Return where the path in HDFS is kept; a path without a slash lies in the user's directory."""
        if path.startswith("hdfs://"):
            host, _, path = path[len("hdfs://") :].partition("/")
            if host:
                raise Failure("-stat: java.net.UnknownHostException: " + host)
        elif path.startswith("hdfs:/"):
            path = path[len("hdfs:") :]
        elif not path.startswith("/"):
            path = "user/me/" + path
        return self.root / path.lstrip("/")

    def there(self, path: str) -> Path:
        """Return where ``path`` is kept, or fail as Hadoop does if it is not there."""
        found = self.local(path)
        if not found.exists():
            raise Failure("%s: `%s': No such file or directory" % (self.command, path))
        return found

    def matching(self, pattern: str) -> list[Path]:
        """Return everything that a pattern names."""
        local = self.local(pattern)
        # Java writes "anything but" with a caret.
        found = (
            sorted(local.parent.glob(local.name.replace("[^", "[!"))) if "*" in local.name else [self.there(pattern)]
        )
        if not found:
            raise Failure("%s: `%s': No such file or directory" % (self.command, pattern))
        return found

    def shown(self, path: Path) -> str:
        """Return the path in HDFS."""
        return "/" + str(path.relative_to(self.root))

    def run(self, arguments: list[str]) -> int:
        """Carry out ``fs -command ...`` and return the exit code."""
        # Java likes to warn before it works.
        sys.stderr.write("OpenJDK 64-Bit Server VM warning: something is deprecated\n")
        assert arguments[0] == "fs", arguments
        self.command = arguments[1].lstrip("-")
        options = [each for each in arguments[2:] if each in ("-r", "-R", "-p", "-nl", "-e", "-skipTrash")]
        rest = [each for each in arguments[2:] if each not in options]
        known = {"rm -r": "cdh4", "mkdir -p": "cdh4", "ls -R": "cdh4", "rmr": "old", "lsr": "old", "test -e": "old"}
        wanted = known.get(" ".join([self.command, *options[:1]]))
        if wanted and (wanted == "cdh4") != (self.dialect == "cdh4"):
            raise Failure("%s: Illegal option" % self.command)
        with open(self.root.parent / "commands.log", "a") as log:
            log.write(" ".join(arguments[1:]) + "\n")
        return getattr(self, "do_" + self.command)(options, *rest) or 0

    def do_stat(self, options: list[str], path: str) -> None:
        found = self.there(path).stat()
        print(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(found.st_mtime)))

    def do_test(self, options: list[str], path: str) -> int:
        return 0 if self.local(path).exists() else 1

    def do_cat(self, options: list[str], path: str) -> None:
        for found in self.matching(path):
            with open(found, "rb") as content:
                shutil.copyfileobj(content, sys.stdout.buffer)

    def do_put(self, options: list[str], source: str, path: str) -> None:
        to = self.local(path)
        if not to.parent.is_dir():
            raise Failure("put: `%s': No such file or directory" % path)
        if to.is_dir():
            to = to / os.path.basename(source)
        if to.exists():
            raise Failure("put: `%s': File exists" % path)
        if source == "-":
            with open(to, "wb") as content:
                shutil.copyfileobj(sys.stdin.buffer, content)
        elif not os.path.exists(source):
            raise Failure("put: `%s': No such file or directory" % source)
        else:
            (shutil.copytree if os.path.isdir(source) else shutil.copyfile)(source, to)

    def do_get(self, options: list[str], path: str, to: str) -> None:
        found = self.there(path)
        (shutil.copytree if found.is_dir() else shutil.copyfile)(found, to)

    def do_getmerge(self, options: list[str], path: str, to: str) -> None:
        with open(to, "wb") as merged:
            for found in sorted(self.there(path).iterdir()):
                merged.write(found.read_bytes())
                merged.write(b"\n" if "-nl" in options else b"")

    def do_mkdir(self, options: list[str], path: str) -> None:
        to = self.local(path)
        parents = "-p" in options or self.dialect != "cdh4"
        if to.exists() and not (parents and self.dialect == "cdh4" and to.is_dir()):
            raise Failure("mkdir: `%s': File exists" % path)
        if not parents and not to.parent.exists():
            raise Failure("mkdir: `%s': No such file or directory" % path)
        to.mkdir(parents=parents, exist_ok=parents)

    def do_mv(self, options: list[str], *paths: str) -> None:
        to = self.local(paths[-1])
        for path in paths[:-1]:
            found = self.there(path)
            target = to / found.name if to.is_dir() else to
            if target.exists():
                raise Failure("mv: `%s': File exists" % paths[-1])
            found.rename(target)

    def do_cp(self, options: list[str], path: str, to: str) -> None:
        found, target = self.there(path), self.local(to)
        target = target / found.name if target.is_dir() else target
        (shutil.copytree if found.is_dir() else shutil.copyfile)(found, target)

    def do_rm(self, options: list[str], path: str) -> None:
        for found in self.matching(path):
            if not found.is_dir():
                found.unlink()
            elif "-r" in options or self.command == "rmr":
                shutil.rmtree(found)
            else:
                raise Failure("rm: `%s': Is a directory" % path)

    do_rmr = do_rm

    def do_touchz(self, options: list[str], path: str) -> None:
        to = self.local(path)
        if not to.parent.is_dir() or not os.stat(to.parent).st_mode & 0o200:
            raise Failure('touchz: Permission denied: user=me, access=WRITE, inode="%s"' % path)
        to.touch()

    def do_chmod(self, options: list[str], permissions: str, path: str) -> None:
        found = self.there(path)
        for each in [found, *(found.rglob("*") if "-R" in options else [])]:
            each.chmod(int(permissions, 8))

    def do_chown(self, options: list[str], ownership: str, path: str) -> None:
        self.there(path)

    def do_count(self, options: list[str], path: str) -> None:
        found = self.there(path)
        below = [found, *found.rglob("*")]
        files = [each for each in below if each.is_file()]
        size = sum(each.stat().st_size for each in files)
        print("OpenJDK 64-Bit Server VM warning: something is deprecated")
        print("%12d %12d %18d %s" % (len(below) - len(files), len(files), size, path))

    def do_ls(self, options: list[str], path: str = ".") -> None:
        recursive = "-R" in options or self.command == "lsr"
        found = self.matching(path)
        if len(found) == 1 and found[0].is_dir():
            found = sorted(found[0].rglob("*") if recursive else found[0].iterdir())
        if not recursive:
            print("Found %d items" % len(found))
        for each in found:
            stat = each.stat()
            kind, size = ("d", 0) if each.is_dir() else ("-", stat.st_size)
            changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(stat.st_mtime))
            print("%srw-r--r--   - me domain users %10d %s %s" % (kind, size, changed, self.shown(each)))

    do_lsr = do_ls


def main() -> int:
    """Run the program with the arguments of the command line."""
    root, dialect, *arguments = sys.argv[1:]
    try:
        return Hadoop(root, dialect).run(arguments)
    except Failure as failure:
        sys.stderr.write("%s\n" % failure)
        return 1


if __name__ == "__main__":
    sys.exit(main())
