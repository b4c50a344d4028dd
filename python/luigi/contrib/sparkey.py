"""Sparkey: a task that writes its input into a key-value log file. The client is the Python package sparkey."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import luigi


class SparkeyExportTask(luigi.Task):
    """Writes a Sparkey log with one entry for each line of the input: the first column is the key, the rest the value.

    A subclass gives `requires`, and an `output` that is a `luigi.LocalTarget`.
    """

    #: What ends the key in a line of the input.
    separator: Any = "\t"

    def run(self) -> None:
        """Writes the log, which appears under its name when it is complete.

        :raises TypeError: if the output is no local file.
        """
        self._write_sparkey_file()

    def _write_sparkey_file(self) -> None:
        import sparkey

        output = self.output()
        if not isinstance(output, luigi.LocalTarget):
            raise TypeError("output must be a LocalTarget")
        unfinished = luigi.LocalTarget(is_tmp=True)
        with closing(sparkey.LogWriter(unfinished.path)) as log, self.input().open("r") as lines:
            for line in lines:
                key, value = line.strip().split(self.separator, 1)
                log[key] = value
        unfinished.move(output.path)
