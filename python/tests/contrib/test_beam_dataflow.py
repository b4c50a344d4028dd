"""Beam jobs: the commands that are built, and runs of them with programs of this machine."""

import subprocess
import sys

import pytest

import luigi
from luigi.contrib.beam_dataflow import BeamDataflowJobTask, DataflowParamKeys

NAMES = """runner project zone region staging_location temp_location gcp_temp_location num_workers autoscaling_algorithm
max_num_workers disk_size_gb worker_machine_type worker_disk_type job_name service_account network subnetwork labels"""


def _camel(name):
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


class JavaKeys(DataflowParamKeys):
    locals().update({name: _camel(name) for name in NAMES.split()})


class Files(luigi.ExternalTask):
    """An input whose shape the test chooses."""

    shape = luigi.Parameter()

    def output(self):
        a, b = luigi.LocalTarget("/in/a/"), luigi.LocalTarget("/in/b")
        return {
            "one": a,
            "list": [a, b],
            "pair": ("name", a),
            "pairs": [("first", a), ("second", [a, b])],
            "dict": {"first": a, "second": {"x": a, "y": [a, b]}},
            "none": [],
            "bad": 3,
        }[self.shape]


class Job(BeamDataflowJobTask):
    dataflow_params = JavaKeys()
    shape = luigi.Parameter(default="none")
    program = ["echo", "ran"]
    runner = "DirectRunner"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.called = []

    def requires(self):
        return Files(self.shape)

    def output(self):
        return luigi.LocalTarget("/out")

    def dataflow_executable(self):
        return self.program

    def before_run(self):
        self.called.append("before")

    def on_successful_run(self):
        self.called.append("ran")

    def on_successful_output_validation(self):
        self.called.append("valid")

    def cleanup_on_error(self, error):
        self.called.append(type(error).__name__)


class FullJob(Job):
    runner = "DataflowRunner"
    project, zone, region = "p", "z", "r"
    staging_location, temp_location, gcp_temp_location = "gs://s", "gs://t", "gs://g"
    num_workers, autoscaling_algorithm, max_num_workers = 1, "NONE", 2
    disk_size_gb, worker_machine_type, worker_disk_type = 30, "m", "ssd"
    network, subnetwork, job_name, service_account = "n", "sn", "j", "a@b"
    labels = {"k": "v"}

    def args(self):
        return ["--more"]

    def file_pattern(self):
        return {"second": "*.txt"}

    def output(self):
        return {"left": luigi.LocalTarget("/l"), "right": luigi.LocalTarget("/r")}


def test_every_setting_becomes_an_option():
    assert FullJob(shape="pairs")._mk_cmd_line() == ["echo", "ran", "--runner=DataflowRunner"] + [
        *["--project=p", "--zone=z", "--region=r", "--stagingLocation=gs://s", "--tempLocation=gs://t"],
        *["--gcpTempLocation=gs://g", "--numWorkers=1", "--autoscalingAlgorithm=NONE", "--maxNumWorkers=2"],
        *["--diskSizeGb=30", "--workerMachineType=m", "--workerDiskType=ssd", "--network=n", "--subnetwork=sn"],
        *["--jobName=j", "--serviceAccount=a@b", '--labels={"k": "v"}', "--more"],
        *["--first=/in/a/part-*", "--second=/in/a/*.txt,/in/b/*.txt", "--left=/l", "--right=/r"],
    ]
    # What the class says of all its tasks is as it was.
    assert Job.program == ["echo", "ran"]


@pytest.mark.parametrize(
    "shape, options",
    [
        ("one", ["--input=/in/a/part-*"]),
        ("list", ["--input=/in/a/part-*,/in/b/part-*"]),
        ("pair", ["--name=/in/a/part-*"]),
        ("dict", ["--first=/in/a/part-*", "--second-x=/in/a/part-*", "--second-y=/in/a/part-*,/in/b/part-*"]),
        ("none", []),
    ],
)
def test_inputs_have_many_shapes(shape, options):
    assert Job(shape=shape)._mk_cmd_line() == ["echo", "ran", "--runner=DirectRunner", *options, "--output=/out"]


def test_what_cannot_be_is_refused(monkeypatch, luigi_log):
    with pytest.raises(ValueError, match="Invalid job input"):
        Job(shape="bad")._mk_cmd_line()
    task = Job()
    task.runner = "OtherRunner"
    with pytest.raises(ValueError, match="Runner OtherRunner is unsupported."):
        task._mk_cmd_line()
    task.runner = None
    assert "--runner=DirectRunner" in task._mk_cmd_line()
    assert "Runner not supplied to BeamDataflowJobTask. Defaulting to DirectRunner." in luigi_log.messages
    task.output = lambda: ["a"]
    with pytest.raises(ValueError, match="Task output must be a Target or a dict"):
        task._mk_cmd_line()
    task.file_pattern = lambda: "*"
    with pytest.raises(ValueError, match=r"file_pattern\(\) must return a dict type"):
        task._mk_cmd_line()
    with pytest.raises(ValueError, match="Target x not supported"):
        Job.get_target_path("x")


def test_options_must_have_names():
    class Some(DataflowParamKeys):
        runner = "runner"

    with pytest.raises(TypeError, match="abstract"):
        Some()

    class Nameless(Job):
        dataflow_params = None

    with pytest.raises(ValueError, match="dataflow_params must be of type DataflowParamKeys"):
        Nameless()


def test_other_targets_have_names_too():
    from luigi.contrib import bigquery, gcs

    table = bigquery.BigQueryTarget("p", "d", "t", client="none")
    assert Job.get_target_path(table) == "p:d.t"
    assert Job.get_target_path(gcs.GCSTarget("gs://b/f", client="none")) == "gs://b/f"


def test_a_job_runs(luigi_log):
    task = Job()
    task.run()
    assert task.called == ["before", "ran", "valid"]
    assert "ran --runner=DirectRunner --output=/out" in luigi_log.messages


def test_wrong_output_fails_the_task():
    class Wrong(Job):
        def validate_output(self):
            return False

    task = Wrong()
    with pytest.raises(ValueError, match="Output validation failed"):
        task.run()
    assert task.called == ["before", "ran", "ValueError"]


def test_a_failed_command_gives_the_process_its_code(tmp_path):
    script = (
        "import sys; sys.path.insert(0, %r)\n"
        "from contrib.test_beam_dataflow import Job\n"
        "class Fails(Job):\n"
        "    program = ['sh', '-c', 'echo wrong; exit 7']\n"
        "    def cleanup_on_error(self, error): print(error.returncode, repr(error.output), flush=True)\n"
        "Fails().run()\n"
        "print('not reached')\n" % __file__.rsplit("/", 2)[0]
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (7, "7 'wrong\\n'\n")


def test_a_task_may_bring_its_own_runner():
    class Runner:
        @staticmethod
        def run(command, task):
            task.called.append(command[:2])

    class Own(Job):
        cmd_line_runner = Runner

    task = Own()
    task.run()
    assert task.called[:2] == ["before", ["echo", "ran"]]
