"""Run Spark applications through ``spark-submit``, be they given as a file or written in the task itself.

Options come from the section ``[spark]`` of the configuration, or from properties of the task. A task whose property
``spark_version`` names another section takes them from there, so that several Spark installations can be used.
"""

from __future__ import annotations

import collections
import importlib
import inspect
import os
import pickle
import re
import shutil
import socket
import tempfile
import zipfile
from typing import Any

from luigi import configuration
from luigi.contrib._job_pickle import dump_task
from luigi.contrib.external_program import ExternalProgramTask, logger  # noqa: F401  # Luigi offers the logger here.


def _is_true(value: Any) -> bool:
    """Read a switch that may be a Python value or a word from the configuration."""
    return str(value).strip().lower() not in ("", "0", "false", "no", "none", "off")


# The options of ``spark-submit`` in the order they are given: who writes them, and the attributes that hold the values.
# An option is called like its attribute, but for those below.
_SUBMIT_OPTIONS = (
    ("_text_arg", ("master", "deploy_mode", "name", "entry_class")),
    ("_list_arg", ("jars", "packages", "py_files", "files", "archives")),
    ("_dict_arg", ("_conf",)),
    ("_text_arg", ("properties_file", "driver_memory", "driver_java_options", "driver_library_path")),
    ("_text_arg", ("driver_class_path", "executor_memory", "driver_cores")),
    ("_flag_arg", ("supervise",)),
    ("_text_arg", ("total_executor_cores", "executor_cores", "queue", "num_executors")),
)
_OPTIONS_OF_OTHER_NAME = {"entry_class": "--class", "_conf": "--conf"}


class SparkSubmitTask(ExternalProgramTask):
    """Submits an application (a jar or a Python file) to Spark and waits until it has ended.

    Set :py:attr:`app`, and for a jar :py:attr:`entry_class`; override :py:meth:`app_options` for its arguments.
    """

    #: The name to show for the application.
    name: Any = None
    #: The class in a jar that holds ``main``.
    entry_class: Any = None
    #: The jar or Python file to run.
    app: Any = None

    # Spark says much on its error stream, so that is logged after a failure only; and it says the tracking URL there.
    always_log_stderr = False
    stream_for_searching_tracking_url = "stderr"

    @property
    def tracking_url_pattern(self) -> str:  # type: ignore[override]
        """How Spark words the address of its pages: on a cluster in its reports, else when it begins to listen."""
        if self.deploy_mode == "cluster":
            return r"tracking URL: (https?://.*)\s"
        before_4, since_4 = r"Bound (?:.*) to (?:.*), and started at ", r"started service 'SparkUI' on port "
        return r"(?:%s|%s)(https?://\S*|\d+)\.?\s" % (before_4, since_4)

    def build_tracking_url(self, logs_output: str) -> str:
        """The address of Spark's pages. Since Spark 4 the driver says its port only."""
        if not logs_output.isdigit():
            return super().build_tracking_url(logs_output)
        host = os.environ.get("SPARK_PUBLIC_DNS") or os.environ.get("SPARK_LOCAL_IP") or socket.gethostname()
        return "http://%s:%s" % (host, logs_output)

    def app_options(self) -> list[Any]:
        """The application's own arguments."""
        return []

    @property
    def pyspark_python(self) -> str | None:
        """The Python to use for the application."""
        return None

    @property
    def pyspark_driver_python(self) -> str | None:
        """The Python to use in the driver."""
        return None

    @property
    def hadoop_user_name(self) -> str | None:
        """The user to be on Hadoop."""
        return None

    @property
    def spark_version(self) -> str:
        """The section of the configuration to take options from."""
        return "spark"

    def _option(self, key: str, default: Any = None) -> Any:
        return configuration.get_config().get(self.spark_version, key, default)

    @property
    def spark_submit(self) -> str:
        """The command that submits; ``spark-submit`` unless configured."""
        return self._option("spark-submit", "spark-submit")

    @property
    def master(self) -> str | None:
        """The address of the cluster."""
        return self._option("master")

    @property
    def deploy_mode(self) -> str | None:
        """Where the driver runs: ``client`` (here) or ``cluster``."""
        return self._option("deploy-mode")

    @property
    def jars(self) -> list[str] | None:
        """Jars for the class path of driver and executors."""
        return self._list_config(self._option("jars"))

    @property
    def packages(self) -> list[str] | None:
        """Maven coordinates of jars for driver and executors."""
        return self._list_config(self._option("packages"))

    @property
    def py_files(self) -> list[str] | None:
        """Python files, zips and eggs for the executors' module path."""
        return self._list_config(self._option("py-files"))

    @property
    def files(self) -> list[str] | None:
        """Files for the executors' working folders."""
        return self._list_config(self._option("files"))

    @property
    def archives(self) -> list[str] | None:
        """Archives to be unpacked in the executors' working folders."""
        return self._list_config(self._option("archives"))

    @property
    def conf(self) -> dict[str, str] | None:
        """Spark's own properties; in the configuration as ``name=value|name=value``."""
        return self._dict_config(self._option("conf"))

    @property
    def _conf(self) -> dict[str, Any]:
        interpreters = {
            "spark.pyspark.python": self.pyspark_python,
            "spark.pyspark.driver.python": self.pyspark_driver_python,
        }
        chosen = {key: program for key, program in interpreters.items() if program}
        return collections.OrderedDict({**(self.conf or {}), **chosen})

    @property
    def properties_file(self) -> str | None:
        """A file with Spark's own properties."""
        return self._option("properties-file")

    @property
    def driver_memory(self) -> str | None:
        """The driver's memory, such as ``2G``."""
        return self._option("driver-memory")

    @property
    def driver_java_options(self) -> str | None:
        """Options for the driver's Java."""
        return self._option("driver-java-options")

    @property
    def driver_library_path(self) -> str | None:
        """Where the driver looks for libraries."""
        return self._option("driver-library-path")

    @property
    def driver_class_path(self) -> str | None:
        """Where the driver looks for classes."""
        return self._option("driver-class-path")

    @property
    def executor_memory(self) -> str | None:
        """The memory of one executor, such as ``2G``."""
        return self._option("executor-memory")

    @property
    def driver_cores(self) -> Any:
        """The driver's number of cores."""
        return self._option("driver-cores")

    @property
    def supervise(self) -> bool:
        """Whether the driver is started again when it fails."""
        return _is_true(self._option("supervise", False))

    @property
    def total_executor_cores(self) -> Any:
        """The number of cores of all executors together."""
        return self._option("total-executor-cores")

    @property
    def executor_cores(self) -> Any:
        """The number of cores of one executor."""
        return self._option("executor-cores")

    @property
    def queue(self) -> str | None:
        """The YARN queue to submit to."""
        return self._option("queue")

    @property
    def num_executors(self) -> Any:
        """The number of executors."""
        return self._option("num-executors")

    @property
    def hadoop_conf_dir(self) -> str | None:
        """The folder of Hadoop's configuration."""
        return self._option("hadoop-conf-dir")

    def get_environment(self) -> dict[str, str]:
        """This process's environment variables, with those that tell Spark about Hadoop."""
        env = os.environ.copy()
        for variable in ("HADOOP_CONF_DIR", "HADOOP_USER_NAME"):
            value = getattr(self, variable.lower(), None)
            if value:
                env[variable] = value
        return env

    def program_environment(self) -> dict[str, str]:
        """See :py:meth:`get_environment`."""
        return self.get_environment()

    def program_args(self) -> list[Any]:
        """The whole command."""
        return self.spark_command() + self.app_command()

    def spark_command(self) -> list[Any]:
        """``spark-submit`` with its options, those without a value left out."""
        command: list[Any] = [self.spark_submit]
        for writer, attributes in _SUBMIT_OPTIONS:
            write = getattr(self, writer)
            for attribute in attributes:
                option = _OPTIONS_OF_OTHER_NAME.get(attribute) or "--" + attribute.replace("_", "-")
                command += write(option, getattr(self, attribute))
        return command

    def app_command(self) -> list[Any]:
        """The application with its arguments.

        :raises NotImplementedError: if the task has no application.
        """
        if not self.app:
            raise NotImplementedError("subclass should define an app (.jar or .py file)")
        return [self.app] + self.app_options()

    def _list_config(self, config: Any) -> list[str] | None:
        if not config or not isinstance(config, str):
            return None
        return [item.strip() for item in config.split(",")]

    def _dict_config(self, config: Any) -> dict[str, str] | None:
        if not config or not isinstance(config, str):
            return None
        return dict(pair.split("=", 1) for pair in config.split("|"))

    def _text_arg(self, name: str, value: Any) -> list[Any]:
        return [name, value] if value else []

    def _list_arg(self, name: str, value: Any) -> list[str]:
        return [name, ",".join(value)] if value and isinstance(value, (list, tuple)) else []

    def _dict_arg(self, name: str, value: Any) -> list[str]:
        if not isinstance(value, dict):
            return []
        return [part for key, item in value.items() for part in (name, "{0}={1}".format(key, item))]

    def _flag_arg(self, name: str, value: Any) -> list[str]:
        return [name] if value else []


class PySparkTask(SparkSubmitTask):
    """Runs the task's own method :py:meth:`main` in Spark's driver.

    The task and the file it is written in go to the driver. Packages that it needs on the executors are named by
    :py:attr:`py_packages`.
    """

    #: What ``spark-submit`` is given; it rebuilds the task and calls it.
    app = os.path.join(os.path.dirname(__file__), "pyspark_runner.py")

    @property  # type: ignore[misc]
    def name(self) -> str:
        """The name to show for the application: that of the class."""
        return type(self).__name__

    @property
    def py_packages(self) -> Any:
        """Names of packages and modules to send to the executors, from ``py-packages`` in ``[spark]``."""
        return self._list_config(configuration.get_config().get("spark", "py-packages", None))

    @property
    def files(self) -> list[str] | None:
        """On a cluster, the file that holds the task, so that the driver finds it."""
        return [self.run_pickle] if self.deploy_mode == "cluster" else None

    @property
    def pickle_protocol(self) -> int:
        """The pickle protocol to write the task with; an older one if Spark's Python is older."""
        return configuration.get_config().getint("spark", "pickle-protocol", pickle.DEFAULT_PROTOCOL)

    def setup(self, conf: Any) -> None:
        """Change the ``SparkConf`` of which the context will be made. Called in the driver."""

    def setup_remote(self, sc: Any) -> None:
        """Prepare the executors of the context ``sc``. Called in the driver, before :py:meth:`main`."""
        self._setup_packages(sc)

    def main(self, sc: Any, *args: str) -> None:
        """The work, with a ``SparkContext`` (or a session, if so configured) and what :py:meth:`app_options` gave."""
        raise NotImplementedError("subclass should define a main method")

    def app_command(self) -> list[Any]:
        """The runner, the file that holds the task, and the task's arguments."""
        in_cluster = self.deploy_mode == "cluster"
        return [self.app, os.path.basename(self.run_pickle) if in_cluster else self.run_pickle] + self.app_options()

    def run(self) -> None:
        """Write the task into a folder of its own, submit, and remove the folder."""
        file_name = re.sub(r"[^\w]", "_", self.name)
        self.run_path = tempfile.mkdtemp(prefix=file_name)
        try:
            self.run_pickle = os.path.join(self.run_path, file_name + ".pickle")
            # Unpickling imports the module that the class is in.
            shutil.copy(os.path.abspath(inspect.getfile(type(self))), self.run_path)
            with open(self.run_pickle, "wb") as file:
                self._dump(file)
            super().run()
        finally:
            shutil.rmtree(self.run_path)

    def _dump(self, fd: Any) -> None:
        dump_task(self, fd, self.pickle_protocol)

    def _setup_packages(self, sc: Any) -> None:
        """Send each package to the executors as a zip file, the only kind of archive that Python imports from."""
        for name in self.py_packages or ():
            # On a cluster the driver is elsewhere, and the folder is not there yet.
            os.makedirs(self.run_path, exist_ok=True)
            archive = os.path.join(self.run_path, name + ".zip")
            _zip_package(importlib.import_module(name), archive)
            sc.addPyFile(archive)


def _zip_package(module: Any, archive: str) -> None:
    """Write a package, or a module that is one file, so that it can be imported from ``archive`` by its full name."""
    folders = list(getattr(module, "__path__", ()))[:1]
    root = os.path.join(*module.__name__.split("."))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        if not folders:
            zipped.write(module.__file__, root + os.path.splitext(module.__file__)[1])
        for folder in folders:
            for parent, subfolders, files in os.walk(folder):
                subfolders[:] = [subfolder for subfolder in subfolders if subfolder != "__pycache__"]
                for file in files:
                    path = os.path.join(parent, file)
                    zipped.write(path, os.path.join(root, os.path.relpath(path, folder)))
