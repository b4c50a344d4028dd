"""The program that Hadoop runs on its nodes for a streaming job: the mapper, combiner or reducer of a task.

It lies alone in the job's working folder, beside the pickled task and the archive with the packages that the task
needs. It must therefore import nothing of Luigi before the archive is unpacked.
"""

import logging
import os
import pickle
import sys
import tarfile
import traceback


class Runner:
    """Unpacks what the task needs, rebuilds it (unless ``job`` is given) and runs one step of it."""

    def __init__(self, job=None):
        self.extract_packages_archive()
        if job is None:
            with open("job-instance.pickle", "rb") as file:
                job = pickle.load(file)
        self.job = job
        self.job._setup_remote()

    def run(self, kind, stdin=sys.stdin, stdout=sys.stdout):
        """Run the step ``kind``, which is ``map``, ``combiner`` or ``reduce``, from one stream to the other."""
        steps = {"map": "run_mapper", "combiner": "run_combiner", "reduce": "run_reducer"}
        if kind not in steps:
            raise Exception("weird command: %s" % kind)
        getattr(self.job, steps[kind])(stdin, stdout)

    def extract_packages_archive(self):
        """Unpack ``packages.tar`` here, if it is there, and let Python import from it."""
        if not os.path.exists("packages.tar"):
            return
        with tarfile.open("packages.tar") as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(filter="data")
            else:
                archive.extractall()
        if "" not in sys.path:
            sys.path.insert(0, "")


def print_exception(exc):
    """Write the traceback so that it can be found again in a log: on one line, in hexadecimal."""
    print("luigi-exc-hex=%s" % traceback.format_exc().encode("utf-8").hex(), file=sys.stderr)


def main(args=None, stdin=sys.stdin, stdout=sys.stdout, print_exception=print_exception):
    """Run the step that the first argument names, for the task in the file ``job-instance.pickle``."""
    try:
        logging.basicConfig(level=logging.WARN)
        Runner().run((args or sys.argv)[1], stdin=stdin, stdout=stdout)
    except Exception as exc:
        print_exception(exc)
        raise


if __name__ == "__main__":
    main()
