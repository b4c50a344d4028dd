"""The program that LSF runs on a node for an ``LSFJobTask``; its argument is the job's folder."""

from __future__ import annotations

import logging
import os
import sys

if __name__ == "__main__":
    # Python put this script's folder first in the search path, where its modules would hide others of the same name.
    sys.path.append(sys.path.pop(0))

try:
    import dill as pickle
except ImportError:
    import pickle

from luigi.contrib._compute_node import unpack_packages, work_in


def do_work_on_compute_node(work_dir: str) -> None:
    """Unpack the packages, rebuild the task and do its work."""
    extract_packages_archive(work_dir)
    work_in(work_dir, pickle.load)


def extract_packages_archive(work_dir: str) -> None:
    """Unpack the archive of packages, if there is one."""
    unpack_packages(work_dir)


def main(args: list[str] = sys.argv) -> None:
    """Do the work of the task in the folder that the first argument names."""
    try:
        logging.basicConfig(level=logging.WARN)
        work_dir = args[1]
        assert os.path.exists(work_dir), "First argument to lsf_runner.py must be a directory that exists"
        do_work_on_compute_node(work_dir)
    except Exception as error:
        print(error)
        raise


if __name__ == "__main__":
    main()
