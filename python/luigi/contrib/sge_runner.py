#!/usr/bin/env python
"""The program that Grid Engine runs on a node for an ``SGEJobTask``.

Its arguments are the job's folder, the folder Luigi was started in, and ``--no-tarball`` if the packages need not be
unpacked.
"""

from __future__ import annotations

import logging
import os
import pickle
import sys

if __name__ == "__main__":
    # Python put this script's folder first in the search path, where its modules would hide others of the same name.
    sys.path.append(sys.path.pop(0))

from luigi.contrib._compute_node import unpack_packages, work_in


def _do_work_on_compute_node(work_dir: str, tarball: bool = True) -> None:
    if tarball:
        _extract_packages_archive(work_dir)
    work_in(work_dir, pickle.load)


def _extract_packages_archive(work_dir: str) -> None:
    unpack_packages(work_dir)


def main(args: list[str] = sys.argv) -> None:
    """Do the work of the task in the folder that the first argument names."""
    try:
        logging.basicConfig(level=logging.WARN)
        work_dir, project_dir = args[1:3]
        assert os.path.exists(work_dir), "First argument to sge_runner.py must be a directory that exists"
        sys.path.append(project_dir)
        _do_work_on_compute_node(work_dir, "--no-tarball" not in args)
    except Exception as error:
        print(error)
        raise


if __name__ == "__main__":
    main()
