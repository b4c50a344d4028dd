"""Streaming jobs: steps run here, and jobs run through a stand-in for ``hadoop`` that really runs them."""

import datetime
import io
import os
import pickle
import signal
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import luigi
import luigi.contrib.hdfs
from luigi import configuration
from luigi.contrib import hadoop as hadoop_module
from luigi.contrib import mrrunner
from luigi.contrib.hadoop import (
    HadoopJobError,
    HadoopJobRunner,
    JobTask,
    LocalJobRunner,
    create_packages_archive,
    get_extra_files,
    run_and_track_hadoop_job,
)
from luigi.mock import MockTarget

from .programs import is_running


class Lines(luigi.ExternalTask):
    """A text that is there."""

    def output(self):
        return MockTarget("hadoop-lines")


class WordCount(JobTask):
    """Counts words here."""

    combine = luigi.BoolParameter()

    def requires(self):
        return Lines()

    def output(self):
        return MockTarget("hadoop-counts")

    def mapper(self, line):
        for word in line.split():
            self.incr_counter("words", "seen", 1, threshold=3)
            yield word, 1

    def reducer(self, word, counts):
        yield word, sum(counts)

    def final_reducer(self):
        yield "end", 0


@pytest.fixture
def lines():
    """Two lines of words."""
    MockTarget.fs.clear()
    with Lines().output().open("w") as file:
        file.write("b a b\na b\n")


def result(task):
    with task.output().open("r") as file:
        return file.read()


def test_job_with_other_output_runs_here(lines, capsys):
    with pytest.warns(UserWarning, match="run in local mode"):
        WordCount().run()
    assert result(WordCount()) == "a\t2\nb\t3\nend\t0\n"
    # Counters are told when three have gathered, and the rest at the end.
    assert capsys.readouterr().err.count("reporter:counter:words,seen,3\nreporter:counter:words,seen,2\n") == 1


def test_combiner_and_sample(lines):
    class Combined(WordCount):
        seen = []

        def combiner(self, word, counts):
            counts = list(counts)
            self.seen.append((word, counts))
            yield word, sum(counts)

        def job_runner(self):
            return LocalJobRunner(samplelines=1)

    Combined().run()
    assert result(Combined()) == "a\t1\nb\t2\nend\t0\n"
    assert Combined.seen == [("a", [1]), ("b", [1, 1])]


def test_map_only_job(lines):
    class Words(WordCount):
        reducer = NotImplemented

        def mapper(self, line):
            yield from ((word,) for word in line.split())

        def final_mapper(self):
            yield ("last", 1)

    Words().run()
    assert result(Words()) == "b\na\nb\na\nb\nlast\t1\n"


def test_json_between_the_steps(lines):
    class Json(WordCount):
        data_interchange_format = "json"

        def mapper(self, line):
            yield "key", {"first": line.split()[0]}

        def reducer(self, key, values):
            yield "", hadoop_module.json.dumps(sorted(value["first"] for value in values))

        final_reducer = NotImplemented

    Json().run()
    assert result(Json()) == '["a", "b"]\n'


@pytest.mark.parametrize("value", [("a\tb", None), datetime.date(2020, 2, 29), float("inf"), {"é": [1.5, b"\0"]}])
def test_values_survive_between_the_steps(value):
    task = WordCount()
    for name, function in hadoop_module.DataInterchange["python"].items():
        setattr(task, name, function)
    stream = io.StringIO()
    task.internal_writer([(value, 1)], stream)
    assert list(task.internal_reader(stream.getvalue().splitlines())) == [[value, 1]]


def test_a_failing_step_leaves_no_output(lines):
    class Fails(WordCount):
        def reducer(self, word, counts):
            raise ValueError("no")
            yield

    with pytest.raises(ValueError):
        Fails().run()
    assert not Fails().output().exists()


class OnHdfs(JobTask):
    """Counts words with Hadoop; needs a file that is sent along, and what was found out before."""

    word = luigi.Parameter(default="w")
    extra = luigi.Parameter()

    def requires_hadoop(self):
        return OnHdfsInput()

    def output(self):
        return luigi.contrib.hdfs.HdfsTarget("/data/counts")

    def init_local(self):
        self.found_out = "here"

    def extra_files(self):
        return [(self.extra, "folder/extra.txt")]

    def mapper(self, line):
        for word in line.split():
            yield word, 1

    def combiner(self, word, counts):
        yield word, sum(counts)

    def reducer(self, word, counts):
        with open("folder/extra.txt") as file:
            yield word, sum(counts), self.found_out, self.word, file.read()


class Full(OnHdfs):
    """Asks for more of the command."""

    def extra_streaming_arguments(self):
        return [("name", "value"), ("-dashed", "other")]

    def extra_archives(self):
        return ["b.zip"]


class OnHdfsInput(luigi.ExternalTask):
    def output(self):
        return luigi.contrib.hdfs.HdfsTarget("/data/lines")


@pytest.fixture
def streaming_config():
    """Names the streaming jar."""
    config = configuration.get_config()
    config.set("hadoop", "streaming-jar", "/lib/streaming.jar")
    config.set("hadoop", "pool", "the-pool")
    yield config
    config.remove_option("hadoop", "streaming-jar")
    config.remove_option("hadoop", "pool")


def test_hadoop_runs_the_job(hadoop, streaming_config, tmp_path, luigi_log):
    hadoop.write("/data/lines/part-0", "b a b\n")
    hadoop.write("/data/lines/part-1", "a b\n")
    (tmp_path / "extra.txt").write_text("extra")
    task, urls = OnHdfs(extra=str(tmp_path / "extra.txt")), []
    task.set_tracking_url = urls.append
    task.run()
    assert hadoop.read("/data/counts/part-00000") == "a\t2\there\tw\textra\nb\t3\there\tw\textra\n"
    # The address is told as it was written.
    assert urls == ["http://Tracker/Proxy/7/"]
    assert "INFO mapreduce.Job: Running job: job_7" in luigi_log.messages

    (call,) = hadoop.jar_calls()
    assert call[:2] == ["jar", "/lib/streaming.jar"]
    assert call[2] == "-files" and call[3].startswith("%s#folder_extra.txt_" % (tmp_path / "extra.txt"))
    rest = call[4:]
    assert rest[:10] == ["-D", "mapred.job.name=%s" % task, "-D", "mapred.fairscheduler.pool=the-pool"] + [
        *["-D", "mapred.reduce.tasks=25", "-D", "stream.jobconf.truncate.limit=20000"],
        *["-mapper", "python mrrunner.py map"],
    ]
    assert rest[10:14] == ["-combiner", "python mrrunner.py combiner", "-reducer", "python mrrunner.py reduce"]
    assert rest[14:16] == ["-file", mrrunner.__file__]
    assert [os.path.basename(name) for name in rest[17:20:2]] == ["packages.tar", "job-instance.pickle"]
    assert rest[20:23] == ["-input", "/data/lines", "-output"]
    assert rest[23].startswith("/data/counts-temp-20")
    assert not os.path.exists(os.path.dirname(rest[17]))


def test_a_failing_job_says_so_and_moves_nothing(hadoop, streaming_config, tmp_path):
    hadoop.write("/data/lines", "a\n")
    task = OnHdfs(extra=str(tmp_path / "extra.txt"))
    (tmp_path / "extra.txt").write_text("extra")
    task.reducer = "not a function"
    with pytest.raises(HadoopJobError) as caught:
        task.run()
    error = caught.value
    assert str(error).startswith("Streaming job failed with exit code 1. Additionally, an error occurred when fetching")
    assert "TypeError" in error.err and "luigi-exc-hex=" in error.err
    assert not luigi.contrib.hdfs.HdfsTarget("/data/counts").exists()
    mail = task.on_failure(error)
    assert mail.startswith("Hadoop job failed with message: Streaming job failed") and error.err in mail


def test_every_option_of_the_runner(hadoop, tmp_path):
    hadoop.write("/data/lines", "a\n")
    hadoop.write("/jars/remote.jar", "")
    (tmp_path / "extra.txt").write_text("extra")

    archives = ["a.zip"]
    runner = HadoopJobRunner(
        "/lib/streaming.jar",
        streaming_args=["-verbose", "yes"],
        libjars=["local.jar"],
        libjars_in_hdfs=["/jars/remote.jar"],
        jobconfs={"k": "v"},
        input_format="In",
        output_format="Out",
        end_job_with_atomic_move_dir=False,
        archives=archives,
    )
    task = Full(extra=str(tmp_path / "extra.txt"), pool="own")
    command = None

    def keep(arglist, tracking_url_callback):
        nonlocal command
        command = arglist
        assert os.path.exists(os.path.join(runner.tmp_dir, "remote.jar"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hadoop_module, "run_and_track_hadoop_job", keep)
        runner.run_job(task)
    assert command[:4] == ["hadoop", "jar", "/lib/streaming.jar", "-libjars"]
    own, fetched = command[4].split(",")
    assert own == "local.jar" and os.path.basename(fetched) == "remote.jar"
    assert command[5:8] == ["-archives", "a.zip,b.zip", "-files"]
    assert command[command.index("mapred.fairscheduler.pool=own") - 1] == "-D"
    at = command.index("k=v")
    assert command[at - 1 : at + 7] == ["-D", "k=v", "-verbose", "yes", "-name", "value", "-dashed", "other"]
    assert command[-8:] == ["-outputformat", "Out", "-inputformat", "In", "-input", "/data/lines"] + [
        *["-output", "/data/counts"]
    ]
    # What the runner was given is as it was.
    assert archives == ["a.zip"]


def test_targets_that_hadoop_cannot_reach_are_refused(hadoop):
    class Wrong(OnHdfs):
        def output(self):
            return MockTarget("elsewhere")

    runner = HadoopJobRunner("/lib/streaming.jar", end_job_with_atomic_move_dir=False)
    with pytest.raises(TypeError, match="output must be one of"):
        runner.run_job(Wrong(extra=__file__))


def test_a_binary_package_goes_in_place_of_archives(hadoop, tmp_path):
    (tmp_path / "all.pex").write_text("")
    task = OnHdfs(extra=__file__, word="packed")
    task.package_binary = str(tmp_path / "all.pex")
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            hadoop_module, "run_and_track_hadoop_job", lambda arglist, tracking_url_callback: kept.extend(arglist)
        )
        HadoopJobRunner("j", end_job_with_atomic_move_dir=False).run_job(task)
    assert kept[kept.index("-mapper") + 1] == "python mrrunner.pex map"
    assert [os.path.basename(kept[at + 1]) for at, word in enumerate(kept) if word == "-file"] == [
        "mrrunner.pex",
        "job-instance.pickle",
    ]


def test_capacity_scheduler_has_queues(streaming_config):
    task = OnHdfs(extra="x")
    streaming_config.set("hadoop", "scheduler", "capacity")
    try:
        assert "mapred.job.queue.name=the-pool" in task.jobconfs()
    finally:
        streaming_config.remove_option("hadoop", "scheduler")
    task.mr_priority = lambda: "HIGH"
    assert "mapred.job.priority=HIGH" in task.jobconfs()


def test_history_is_left_beside_the_output(hadoop, programs):
    config = configuration.get_config()
    config.set("core", "history-filename", "_history")
    client = programs.add("client", "echo 'Running job: job_9' >&2; echo done")
    try:
        assert run_and_track_hadoop_job([str(client), "-output", "/out"]) == ("done\n", "Running job: job_9\n")
    finally:
        config.remove_option("core", "history-filename")
    assert hadoop.read("/out/_history") == '{"job_id": "job_9"}'


def test_an_unknown_failure_has_no_url(programs):
    client = programs.add("client", "echo out; echo broken >&2; exit 5")
    with pytest.raises(HadoopJobError) as caught:
        run_and_track_hadoop_job([str(client)])
    assert str(caught.value) == "Streaming job failed with exit code 5. Also, no tracking url found."
    assert (caught.value.out, caught.value.err) == ("out\n", "broken\n")


def test_tracebacks_are_read_from_the_trackers_pages(programs):
    pytest.importorskip("mechanize")
    traceback = "Traceback: häßlich".encode().hex()

    class Tracker(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/jobfailures.jsp"):
                body = '<html><body><a href="/log?id=1&start=-4097">Last 4KB</a> <a href="/x">All</a></body></html>'
            else:
                body = "luigi-exc-hex=%s\n" % traceback if "start=-100000" in self.path else "short"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Tracker)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = "http://127.0.0.1:%d" % server.server_port
        client = programs.add("client", "echo 'tracking url: %s/jobdetails.jsp?id=1' >&2; exit 1" % address)
        with pytest.raises(HadoopJobError) as caught:
            run_and_track_hadoop_job([str(client)])
    finally:
        server.shutdown()
        thread.join(timeout=20)
        server.server_close()
    assert "Output from tasks below:\n---------- " in str(caught.value)
    assert str(caught.value).endswith("start=-100000:\nTraceback: häßlich")


@pytest.mark.parametrize(
    "said, killed",
    [
        (
            "Submitted application application_3\nRunning job: job_3",
            ["yarn", ["application", "-kill", "application_3"]],
        ),
        ("submitted hadoop job: job_4", ["mapred", ["job", "-kill", "job_4"]]),
    ],
)
def test_a_signal_kills_the_job_on_the_cluster(programs, tmp_path, said, killed):
    # Not above: the module travels to the nodes, which have no part of the tests but this folder.
    from processes import wait_until

    programs.add("yarn", "")
    programs.add("mapred", "")
    last = "tracking url: http://page"
    programs.add("client", "echo $$ > %s/pid; echo '%s\n%s' >&2; exec sleep 60" % (tmp_path, said, last))
    code = (
        "from luigi.contrib.hadoop import *\n"
        "run_and_track_hadoop_job(['client'], lambda url: open(%r, 'w').close())" % str(tmp_path / "told")
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        wait_until((tmp_path / "told").exists)
        pid = (tmp_path / "pid").read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
    assert programs.calls(killed[0]) == [killed[1]]
    wait_until(lambda: not is_running(int(pid)))


def test_extra_files_are_single_files(tmp_path):
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    for name in ("single", "folder/one", "folder/inner/two"):
        (tmp_path / name).touch()
    base = str(tmp_path)
    assert get_extra_files([base + "/single", (base + "/folder", "to")]) == [
        (base + "/single", "single"),
        (base + "/folder/one", "to/one"),
        (base + "/folder/inner/two", "to/inner/two"),
    ]
    with pytest.raises(TypeError):
        get_extra_files([3])


def test_an_archive_holds_whole_packages(tmp_path, monkeypatch):
    package = tmp_path / "root" / "packed_package" / "sub"
    package.mkdir(parents=True)
    for name in ("__init__.py", "sub/__init__.py", "sub/module.py", "data.txt", "old.pyc", ".hidden"):
        (package.parent / name).touch()
    (tmp_path / "root" / "packed_package.egg-info").mkdir()
    (tmp_path / "root" / "packed_package.egg-info" / "top_level.txt").touch()
    (tmp_path / "root" / "packed_module.py").touch()
    (package / "link.py").symlink_to("module.py")
    monkeypatch.syspath_prepend(tmp_path / "root")
    import packed_module
    import packed_package.sub.module

    archive = tmp_path / "archive.tar"
    create_packages_archive([packed_module, packed_package.sub.module], archive)
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        assert not any(member.issym() for member in tar)
    assert sorted(names) == ["packed_module.py", "packed_package/__init__.py"] + [
        "packed_package/sub/%s" % name for name in ("__init__.py", "link.py", "module.py")
    ]
    create_packages_archive([packed_package], archive)
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    assert "packed_package.egg-info/top_level.txt" in names and "packed_package/data.txt" in names
    assert not [name for name in names if name.endswith(".pyc") or ".hidden" in name]


def test_attached_packages_are_sent(hadoop, monkeypatch, tmp_path):
    monkeypatch.setattr(hadoop_module, "_attached_packages", [])
    hadoop_module.attach(pickle)
    archives = []
    monkeypatch.setattr(hadoop_module, "create_packages_archive", lambda packages, name: archives.append(packages))
    monkeypatch.setattr(hadoop_module, "run_and_track_hadoop_job", lambda arglist, tracking_url_callback: None)
    HadoopJobRunner("j", end_job_with_atomic_move_dir=False, modules=[io]).run_job(OnHdfs(extra=__file__))
    names = [package.__name__ for package in archives[0]]
    assert names[0] == "luigi" and names[-3:] == ["io", "pickle", __name__]


def test_a_missing_file_on_the_node_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = WordCount(combine=True)
    task.add_link("absent", "dst")
    with pytest.raises(HadoopJobError, match="Missing files for distributed cache: absent"):
        task._setup_remote()


def test_a_strange_step_is_refused():
    with pytest.raises(Exception, match="weird command: shuffle"):
        mrrunner.Runner(WordCount()).run("shuffle")
