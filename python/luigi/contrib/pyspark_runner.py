"""The program that ``spark-submit`` runs for a ``PySparkTask``.

Its first argument is the file that holds the task; the others are handed to the task's method ``main``.
"""

from __future__ import annotations

import abc
import logging
import os
import pickle
import sys
from types import TracebackType
from typing import Any

if __name__ == "__main__":
    # Python put this script's folder first in the search path, where its modules would hide others of the same name.
    sys.path.append(sys.path.pop(0))

from luigi import configuration


class _SparkEntryPoint(metaclass=abc.ABCMeta):
    """Opens Spark; gives what ``main`` gets and the context below it."""

    def __init__(self, conf: Any) -> None:
        self.conf = conf

    @abc.abstractmethod
    def __enter__(self) -> tuple[Any, Any]: ...

    @abc.abstractmethod
    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None: ...


class SparkContextEntryPoint(_SparkEntryPoint):
    """Gives ``main`` a ``SparkContext``."""

    sc: Any = None

    def __enter__(self) -> tuple[Any, Any]:
        from pyspark import SparkContext

        self.sc = SparkContext(conf=self.conf)
        return self.sc, self.sc

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.sc.stop()


class SparkSessionEntryPoint(_SparkEntryPoint):
    """Gives ``main`` a ``SparkSession`` with Hive, which Spark has from version 2 on."""

    spark: Any = None

    def _check_major_spark_version(self) -> None:
        from pyspark import __version__ as spark_version

        if int(spark_version.split(".")[0]) < 2:
            raise RuntimeError(
                "Apache Spark {} does not support SparkSession entrypoint. "
                "Try to set 'pyspark_runner.use_spark_session' to 'False' and switch to old-style syntax".format(
                    spark_version
                )
            )

    def __enter__(self) -> tuple[Any, Any]:
        self._check_major_spark_version()
        from pyspark.sql import SparkSession

        self.spark = SparkSession.builder.config(conf=self.conf).enableHiveSupport().getOrCreate()
        return self.spark, self.spark.sparkContext

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self.spark.stop()


class AbstractPySparkRunner:
    """Rebuilds a task from its file and calls it; subclasses say what the task is given."""

    _entry_point_class: Any = None

    def __init__(self, job: str, *args: str) -> None:
        # The module that holds the task's class lies beside the file.
        sys.path.append(os.path.dirname(job))
        with open(job, "rb") as file:
            self.job = pickle.load(file)
        self.args = args

    def run(self) -> None:
        """Let the task set Spark up, then let it work."""
        from pyspark import SparkConf

        conf = SparkConf()
        self.job.setup(conf)
        with self._entry_point_class(conf=conf) as (entry_point, context):
            self.job.setup_remote(context)
            self.job.main(entry_point, *self.args)


def _pyspark_runner_with(name: str, entry_point_class: type[_SparkEntryPoint]) -> type[AbstractPySparkRunner]:
    """Make a runner that opens Spark through ``entry_point_class``."""
    return type(name, (AbstractPySparkRunner,), {"_entry_point_class": entry_point_class})


PySparkRunner = _pyspark_runner_with("PySparkRunner", SparkContextEntryPoint)
PySparkSessionRunner = _pyspark_runner_with("PySparkSessionRunner", SparkSessionEntryPoint)


def _use_spark_session() -> bool:
    """Whether ``use_spark_session`` in ``[pyspark_runner]`` asks for a session."""
    value = configuration.get_config().get("pyspark_runner", "use_spark_session", False)
    return str(value).strip().lower() not in ("", "0", "false", "no", "none", "off")


def _get_runner_class() -> type[AbstractPySparkRunner]:
    return PySparkSessionRunner if _use_spark_session() else PySparkRunner


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARN)
    _get_runner_class()(*sys.argv[1:]).run()
