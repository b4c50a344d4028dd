"""Pig scripts with a stand-in for ``pig`` that runs shell lines."""

import os
import signal
import subprocess
import sys

import pytest
from processes import wait_until

import luigi
from luigi import configuration
from luigi.contrib.pig import PigJobError, PigJobTask

from .programs import is_running


class Script(PigJobTask):
    path = luigi.Parameter()
    options = ["-x", "local"]

    def pig_script_path(self):
        return self.path

    def pig_options(self):
        return self.options

    def pig_env_vars(self):
        return {"PIG_CLASSPATH": "/class/path"}

    def pig_parameters(self):
        return {"WORD": "two words", "NUMBER": 1}

    def pig_properties(self):
        return {"a.b": "c"}


class PlainScript(PigJobTask):
    path = luigi.Parameter()

    def pig_script_path(self):
        return self.path


@pytest.fixture
def pig(programs):
    """Pig's home, with a command that runs its script with the shell."""
    programs.add("bin/pig", 'for last; do :; done; export ARGUMENTS="$*"; exec sh "$last"')
    configuration.get_config().set("pig", "home", str(programs.folder))
    yield programs
    configuration.get_config().remove_option("pig", "home")


def script(tmp_path, text):
    path = tmp_path / "script.pig"
    path.write_text(text)
    return str(path)


def test_script_gets_parameters_properties_and_environment(pig, tmp_path, monkeypatch):
    path = script(tmp_path, 'set -- $ARGUMENTS; cat "$4" "$6" > seen; echo $PIG_HOME $PIG_CLASSPATH >> seen')
    monkeypatch.chdir(tmp_path)
    Script(path).run()
    assert (tmp_path / "seen").read_text() == "WORD=two words\nNUMBER=1\na.b=c\n%s /class/path\n" % pig.folder
    (call,) = pig.calls("bin/pig")
    assert call[:3] == ["-x", "local", "-param_file"] and call[4] == "-propertyFile" and call[6:] == ["-f", path]
    assert not os.path.exists(call[3]) and not os.path.exists(call[5])
    # Running again must not add to what the task gave as its options.
    assert Script.options == ["-x", "local"]


def test_progress_is_logged_and_the_page_is_told(pig, tmp_path, luigi_log):
    urls = []
    task = PlainScript(
        script(
            tmp_path,
            "echo '2026-01-01 [main] INFO  MapReduceLauncher - HadoopJobId: job_5' >&2\n"
            "echo 'x - More information at: http://Tracker/job_5' >&2\n"
            "echo plain\n",
        )
    )
    task.set_tracking_url = urls.append
    task.run()
    messages = luigi_log.messages
    assert "hadoopjobid: job_5" in messages and "more information at: http://tracker/job_5" in messages
    assert "plain" in messages and messages[-1] == "Job completed successfully!"
    assert urls == ["http://Tracker/job_5"]
    assert [call for call in pig.calls("bin/pig")] == [["-f", task.path]]


def test_failure_carries_the_error_stream(pig, tmp_path):
    with pytest.raises(PigJobError) as caught:
        PlainScript(script(tmp_path, "echo bad >&2; seq 20000; exit 2")).run()
    assert caught.value.err == "bad\n"
    assert str(caught.value) == "Pig script failed with return value: 2\nSTDERR: bad\n"


def test_an_error_shows_what_it_has():
    assert str(PigJobError("failed", out="o")) == "failed\nSTDOUT: o"


def test_a_signal_ends_the_script_and_its_job(pig, tmp_path):
    pig.add("pig", "")
    path = script(
        tmp_path,
        "sleep 60 & echo $! > %s/pid\necho ' - HadoopJobId: job_6' >&2\n"
        "echo ' - More information at: http://page' >&2\nwait" % tmp_path,
    )
    code = (
        "import luigi.contrib.pig as p\n"
        "class T(p.PigJobTask):\n"
        "    pig_home = lambda self: %r\n"
        "    pig_script_path = lambda self: %r\n"
        "task = T()\n"
        "task.set_tracking_url = lambda url: open(%r, 'w').close()\n"
        "task.run()\n" % (str(pig.folder), path, str(tmp_path / "told"))
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
    wait_until(lambda: not is_running(int(pid)))
    assert pig.calls("pig") == [["-e", "kill job_6"]]


def test_what_must_be_overridden():
    with pytest.raises(NotImplementedError, match="subclass should define output path"):
        PigJobTask().output()
    with pytest.raises(NotImplementedError, match="subclass should define pig_script_path"):
        PigJobTask().pig_script_path()
