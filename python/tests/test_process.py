"""The pid file and the log of luigid in the background."""

import logging
import os

from luigi import process


def test_the_pid_file_of_a_living_process_gives_its_id(tmp_path):
    path = str(tmp_path / "run" / "luigid.pid")
    process.write_pid(path)
    assert process.check_pid(path) == os.getpid()
    assert process._server_already_running(path)


def test_no_pid_file_or_a_useless_one_gives_no_process(tmp_path):
    assert process.check_pid(None) == process.check_pid("") == process.check_pid(str(tmp_path / "none")) == 0
    for content in ("", "words", "4194305", "9" * 40):
        (tmp_path / "pid").write_text(content)
        assert process.check_pid(str(tmp_path / "pid")) == 0
        assert not process._server_already_running(str(tmp_path / "pid"))


def test_the_log_begins_a_file_every_day_and_keeps_a_week(tmp_path):
    handler = process.get_spool_handler(str(tmp_path / "log"))
    try:
        assert (handler.when, handler.backupCount) == ("D", 7)
        handler.emit(logging.LogRecord("name", logging.INFO, "", 0, "the message ä", (), None))
    finally:
        handler.close()
    line = (tmp_path / "log").read_text("utf8")
    assert line.endswith(f" name[{os.getpid()}] INFO: the message ä\n")
    assert process.get_log_format() == "%(asctime)s %(name)s[%(process)s] %(levelname)s: %(message)s"
