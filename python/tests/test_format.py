"""Formats: text, bytes, line ends, and programs that stand between a target and its user."""

import gzip
import io
import os
import signal
import subprocess
import warnings

import pytest

import luigi.format
from luigi.format import (
    ChainFormat,
    Format,
    GzipFormat,
    InputPipeProcessWrapper,
    MixedUnicodeBytesWrapper,
    NewlineFormat,
    NewlineWrapper,
    OutputPipeProcessWrapper,
    TextFormat,
    TextWrapper,
    WrappedFormat,
)
from luigi.local_target import LocalTarget


def test_a_chain_applies_the_formats_in_turn(tmp_path):
    windows_text = TextFormat(encoding="utf8", newline="\r\n")
    target = LocalTarget(tmp_path / "x", format=windows_text >> luigi.format.Gzip)
    with target.open("w") as file:
        file.write("é\nф")
    assert gzip.decompress((tmp_path / "x").read_bytes()) == "é\r\nф".encode()
    with LocalTarget(tmp_path / "x", format=luigi.format.UTF8 >> luigi.format.Gzip).open() as file:
        assert file.read() == "é\nф"


def test_formats_that_do_not_fit_are_refused():
    with pytest.raises(TypeError) as failure:
        luigi.format.Text >> luigi.format.Text
    assert str(failure.value) == (
        "The format chaining is not valid, TextFormat expect unicode but TextFormat provide bytes"
    )
    chain = ChainFormat(luigi.format.Text, luigi.format.Text, check_consistency=False)
    assert (chain.input, chain.output) == ("unicode", "bytes")


def test_a_format_that_does_not_say_what_it_takes_fits_everywhere():
    chain = luigi.format.Gzip >> luigi.format.Nop
    assert chain.input == "bytes"
    assert not hasattr(chain, "output")


def test_a_format_without_pipes_is_abstract():
    for pipe in (Format.pipe_reader, Format.pipe_writer):
        with pytest.raises(NotImplementedError):
            pipe(io.BytesIO())


def test_a_wrapped_format_passes_its_arguments_on():
    class Counted(WrappedFormat):
        wrapper_cls = staticmethod(lambda stream, *args, **kwargs: (stream, args, kwargs))

    stream = io.BytesIO()
    assert Counted(1, a=2).pipe_reader(stream) == (stream, (1,), {"a": 2})
    assert Counted(1, a=2).pipe_writer(stream) == (stream, (1,), {"a": 2})


@pytest.mark.parametrize(
    ("newline", "read", "written"),
    [
        (None, b"a\nb\nc\nd", os.linesep.encode().join([b"a", b"b", b"c", b"d"])),
        ("\r\n", b"a\r\nb\r\nc\r\nd", b"a\r\nb\r\nc\r\nd"),
        ("\r", b"a\rb\rc\rd", b"a\rb\rc\rd"),
        ("", b"a\rb\nc\r\nd", os.linesep.encode().join([b"a", b"b", b"c", b"d"])),
    ],
)
def test_line_ends_are_made_alike(newline, read, written):
    mixed = b"a\rb\nc\r\nd"
    assert NewlineWrapper(io.BytesIO(mixed), newline).read() == read
    stream = io.BytesIO()
    NewlineWrapper(stream, newline).write(mixed)
    NewlineWrapper(stream, newline).writelines([mixed])
    assert stream.getvalue() == written * 2


def test_an_unknown_line_end_is_refused():
    with pytest.raises(ValueError, match="newline need to be one of"):
        NewlineFormat("x").pipe_reader(io.BytesIO())


def test_text_in_a_byte_stream_is_encoded_with_a_warning():
    stream = io.BytesIO()
    wrapper = MixedUnicodeBytesWrapper(stream, encoding="latin-1")
    wrapper.write(b"bytes ")
    with pytest.warns(UserWarning, match="Writing unicode to byte stream"):
        wrapper.write("é")
        wrapper.writelines(["f"])
    assert stream.getvalue() == b"bytes \xe9f"


def test_an_iteration_over_a_wrapper_closes_it():
    stream = io.BytesIO(b"a\nb\n")
    assert list(NewlineWrapper(stream)) == [b"a\n", b"b\n"]
    assert stream.closed


class Remembering(io.BytesIO):
    """Remembers how the `with` block over it ended."""

    def __exit__(self, *error):
        self.error = error[0]


def test_leaving_text_is_the_stream_belows_matter():
    stream = Remembering()
    with TextWrapper(stream, encoding="utf8") as text:
        text.write("ä")
    assert stream.error is None
    assert stream.getvalue() == "ä".encode()
    other = TextWrapper(stream, encoding="utf8")
    with pytest.raises(ValueError):
        with other:
            raise ValueError
    assert stream.error is ValueError
    assert not stream.closed


def test_text_that_can_not_be_flushed_is_an_error_for_the_stream_below():
    class Full(Remembering):
        def write(self, data):
            raise OSError("full")

    stream = Full()
    with pytest.raises(OSError, match="full"):
        with TextWrapper(stream, encoding="utf8") as text:
            text.write("x")
    assert stream.error is OSError
    stream.write = lambda data: len(data)


def test_a_detached_stream_lives_on():
    stream = io.BytesIO()
    text = TextWrapper(stream, encoding="utf8")
    text.write("x")
    assert text.detach() is stream
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del text
    assert stream.getvalue() == b"x"


def test_the_output_of_a_process_is_read():
    with InputPipeProcessWrapper(["printf", "a\\nb\\n"]) as pipe:
        assert pipe.readable() and not pipe.writable() and not pipe.seekable()
        assert pipe.readline() == b"a\n"
        assert pipe.read() == b"b\n"


def test_a_process_already_started_is_taken_over():
    process = subprocess.Popen(["printf", "x"], stdout=subprocess.PIPE)
    assert list(InputPipeProcessWrapper(process)) == [b"x"]
    assert process.returncode == 0


def test_a_process_is_fed_from_a_stream_without_descriptor():
    source = io.BytesIO(b"b\na\n")
    assert list(InputPipeProcessWrapper(["sort"], source)) == [b"a\n", b"b\n"]
    assert source.closed


def test_a_process_is_fed_from_another_one():
    inner = InputPipeProcessWrapper(["printf", "b\\na\\n"])
    outer = InputPipeProcessWrapper(["sort"], inner)
    assert outer.read() == b"a\nb\n"
    outer.close()
    assert inner._process.returncode == 0


def test_only_a_method_of_the_output_keeps_the_process_going():
    read = InputPipeProcessWrapper(["printf", "x"]).read
    assert read() == b"x"


def test_reading_a_part_lets_the_process_die_of_sigpipe():
    pipe = InputPipeProcessWrapper(["yes"])
    assert pipe.readline() == b"y\n"
    pipe.close()
    assert pipe._process.returncode == -signal.SIGPIPE
    pipe.close()


def test_a_process_that_fails_is_an_error_at_the_end():
    message = "Error reading from pipe. Subcommand exited with non-zero exit status 3."
    with pytest.raises(RuntimeError) as failure:
        list(InputPipeProcessWrapper(["sh", "-c", "echo x; exit 3"]))
    assert str(failure.value) == message
    with pytest.raises(RuntimeError):
        with InputPipeProcessWrapper(["sh", "-c", "exit 3"]):
            pass
    with pytest.raises(KeyError):
        with InputPipeProcessWrapper(["sh", "-c", "exit 3"]):
            raise KeyError


def test_a_process_receives_what_is_written(tmp_path):
    with open(tmp_path / "sorted", "wb") as output:
        with OutputPipeProcessWrapper(["sort"], output) as pipe:
            assert pipe.writable() and not pipe.readable() and not pipe.seekable()
            pipe.write(b"b\n")
            pipe.write(b"a\n")
    assert (tmp_path / "sorted").read_bytes() == b"a\nb\n"
    assert pipe.closed


def through(target, *command):
    """Opens `target` for writing with a program in between."""

    class Program(Format):
        def pipe_writer(self, output_pipe):
            return OutputPipeProcessWrapper(command, output_pipe)

    target.format = Program()
    return target.open("w")


def test_a_failing_process_is_an_error_and_no_output(tmp_path):
    pipe = through(LocalTarget(tmp_path / "x"), "sh", "-c", "cat; exit 3")
    pipe.write(b"x")
    with pytest.raises(RuntimeError, match="Error when executing command"):
        pipe.close()
    assert os.listdir(tmp_path) == []


def test_a_process_that_does_not_read_everything_is_an_error_and_no_output(tmp_path):
    pipe = through(LocalTarget(tmp_path / "x"), "true")
    with pytest.raises(BrokenPipeError):
        pipe.write(b"x" * 1_000_000)
        pipe.close()
    pipe.abort()
    assert os.listdir(tmp_path) == []


def test_a_process_that_can_not_be_started_leaves_no_temporary_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        through(LocalTarget(tmp_path / "x"), str(tmp_path / "no such program"))
    assert os.listdir(tmp_path) == []


def test_the_compression_level_reaches_the_program(tmp_path):
    content = os.urandom(500) * 200
    sizes = []
    for level in (1, 9):
        target = LocalTarget(tmp_path / str(level), format=GzipFormat(level))
        with target.open("w") as file:
            file.write(content)
        with target.open() as file:
            assert file.read() == content
        sizes.append((tmp_path / str(level)).stat().st_size)
    assert sizes[0] > sizes[1]
