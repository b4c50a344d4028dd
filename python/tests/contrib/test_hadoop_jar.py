"""Jars run through a stand-in for ``hadoop``; a jar is a shell script there."""

import shlex

import pytest

import luigi
import luigi.contrib.hadoop
from luigi.contrib.hadoop import HadoopJobError
from luigi.contrib.hadoop_jar import HadoopJarJobError, HadoopJarJobTask, fix_paths
from luigi.contrib.hdfs import HdfsTarget


class Jar(HadoopJarJobTask):
    path = luigi.OptionalParameter(default=None)
    atomic = luigi.BoolParameter(default=True)
    output_path = luigi.Parameter(default="/out/copied/")

    def jar(self):
        return self.path

    def main(self):
        return "org.Main"

    def atomic_output(self):
        return self.atomic

    def output(self):
        return HdfsTarget(self.output_path)

    def args(self):
        return ["--in", HdfsTarget("/in"), luigi.LocalTarget("/local"), 5, self.output()]


@pytest.fixture
def jar(tmp_path, hadoop):
    """A jar that writes its arguments to its last one."""
    hadoop.write("/in", "input")
    path = tmp_path / "my job.jar"
    path.write_text('for last; do :; done; mkdir -p "$HDFS_ROOT$last"; echo "$@" > "$HDFS_ROOT$last/args"\n')
    return str(path)


def test_output_is_moved_when_the_job_is_done(hadoop, jar):
    Jar(jar).run()
    (call,) = hadoop.jar_calls()
    assert call[:4] == ["jar", jar, "org.Main", "-Dmapred.job.name=%s" % Jar(jar)]
    assert call[4:8] == ["--in", "/in", "/local", "5"]
    assert call[8].startswith("/out/copied-luigi-tmp-") and len(call) == 9
    assert hadoop.read("/out/copied/args").split()[-1] == call[8]


def test_output_that_may_grow_in_place(hadoop, jar):
    Jar(jar, atomic=False).run()
    assert hadoop.jar_calls()[0][-1] == "/out/copied/"
    assert (hadoop.root / "out/copied/args").exists()


def test_a_failing_jar_leaves_the_output_alone(hadoop, jar):
    with open(jar, "w") as file:
        file.write("echo bad >&2; exit 3")
    with pytest.raises(HadoopJobError) as caught:
        Jar(jar).run()
    assert caught.value.err == "bad\n"
    assert not HdfsTarget("/out/copied").exists()


def test_what_is_missing_is_said(hadoop, tmp_path):
    with pytest.raises(HadoopJarJobError, match="Jar not defined"):
        Jar().run()
    with pytest.raises(HadoopJarJobError, match="job jar does not exist"):
        Jar(str(tmp_path / "absent.jar")).run()


class Remote(Jar):
    """Runs elsewhere."""

    check = luigi.BoolParameter(default=True)
    key_file = luigi.OptionalParameter(default="key file")

    def ssh(self):
        return {"host": "there", "key_file": self.key_file, "username": "me", "no_host_key_check": not self.check}


@pytest.mark.parametrize("check", [True, False])
def test_ssh_gets_one_quoted_command(programs, hadoop, check):
    # The stand-in for SSH does what the real one does: it hands its last argument to a shell.
    programs.add("ssh", 'for last; do :; done; sh -c "$last"')
    jar = str(programs.folder / "it's a jar.jar")
    programs.add("it's a jar.jar", "true", interpreter="/bin/false")
    Remote(jar, check=check, atomic=False).run()
    (call,) = programs.calls("ssh")
    options = [] if check else ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no"]
    assert call[:-1] == ["-i", "key file", "-o", "BatchMode=yes", *options, "me@there"]
    assert shlex.split(call[-1])[:4] == ["hadoop", "jar", jar, "org.Main"]
    assert hadoop.jar_calls()[0][1] == jar


def test_ssh_needs_all_settings(hadoop):
    with pytest.raises(HadoopJarJobError, match="missing some config for HadoopRemoteJarJobRunner"):
        Remote("a.jar", key_file=None).run()


def test_arguments_keep_their_order(hadoop):
    moves, arguments = fix_paths(Jar("j"))
    assert arguments[0] == "--in" and arguments[2:4] == ["/local", "5"]
    # "/in" is not there, so it is an output too.
    assert [final for _, final in moves] == ["/in", "/out/copied"]
    assert [temporary.path for temporary, _ in moves] == [arguments[1], arguments[4]]
