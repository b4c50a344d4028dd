"""What goes through a target's `open`: text, bytes, compressed bytes, and chains of these.

A `Format` wraps the stream that a target reads from or writes to. Formats are joined with `>>`,
the side of the user first: `UTF8 >> Gzip` takes text and stores compressed bytes.
"""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, Any

from luigi import _warnings

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator, Sequence

    from typing_extensions import Self

_LINE_END = re.compile(rb"\r\n|\n|\r")


class FileWrapper:
    """Stands for a file and lets attributes be added to it, which built-in files may refuse."""

    def __init__(self, file_object: Any) -> None:
        self._subpipe = file_object

    def __getattr__(self, name: str) -> Any:
        if name == "_subpipe":
            raise AttributeError(name)
        return getattr(self._subpipe, name)

    def __enter__(self, *args: Any, **kwargs: Any) -> Self:
        return self

    def __exit__(self, *args: Any, **kwargs: Any) -> Any:
        return self._subpipe.__exit__(*args, **kwargs)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._subpipe)


def _has_descriptor(pipe: Any) -> bool:
    """Says whether a subprocess can use `pipe` directly."""
    try:
        pipe.fileno()
    except (AttributeError, io.UnsupportedOperation):
        return False
    return True


def _spooled(pipe: Any) -> Any:
    """The content of `pipe` in a nameless temporary file, at its beginning; `pipe` is closed."""
    import shutil
    import tempfile

    spool = tempfile.TemporaryFile("w+b", prefix="luigi-process_tmp")
    try:
        shutil.copyfileobj(pipe, spool)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    pipe.close()
    return spool


class _ProcessPipe:
    """What the pipes from and to a subprocess share: they stand for a stream of it, or else for the other pipe."""

    def _ends(self) -> tuple[Any, Any]:
        """The stream of the process, and the pipe on its other side."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name in ("_process", "_input_pipe", "_output_pipe"):  # Not set before the process is started.
            raise AttributeError(name)
        stream, other = self._ends()
        return getattr(stream, name) if hasattr(stream, name) else getattr(other, name)

    def __enter__(self) -> Self:
        return self

    def seekable(self) -> bool:
        """Always false: what went through a process is gone."""
        return False


class InputPipeProcessWrapper(_ProcessPipe):
    """Reads what a subprocess prints, optionally fed from another stream.

    Closing before the end is fine: the subprocess may then die of SIGPIPE. Any other failure of it
    raises `RuntimeError` on close, or at the end of an iteration.
    """

    # Exit statuses that count as success: 0, and death by SIGPIPE as a shell and as Python report it.
    _GOOD_STATUSES = (0, 141, -13)

    _process: Any
    _finished = False

    def __init__(self, command: Sequence[str] | subprocess.Popen[bytes], input_pipe: Any = None) -> None:
        """Takes the arguments of the process to start, or a process already started with `stdout=PIPE`."""
        import subprocess

        self._command = command
        self._original_input = input_pipe is None or _has_descriptor(input_pipe)
        self._input_pipe = input_pipe if self._original_input else _spooled(input_pipe)
        self._process = command if isinstance(command, subprocess.Popen) else self.create_subprocess(command)
        # The cycle keeps this object alive while only a method of `stdout` is in use, as in
        # `open("r").read()`; the end of the process breaks it.
        self._process._selfref = self

    def create_subprocess(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Starts `command`. SIGPIPE has its default action in it, which Popen sees to."""
        import subprocess

        return subprocess.Popen(command, stdin=self._input_pipe, stdout=subprocess.PIPE, close_fds=True)

    def _finish(self) -> None:
        if self._finished:
            return
        self._finished = True
        self._process._selfref = None
        # The output is closed first, so that a process which still writes gets its SIGPIPE.
        self._process.stdout.close()
        try:
            if self._input_pipe is not None:
                self._input_pipe.close()
        finally:
            status = self._process.wait()
        if status not in self._GOOD_STATUSES:
            raise RuntimeError("Error reading from pipe. Subcommand exited with non-zero exit status %s." % status)

    def close(self) -> None:
        """Ends the reading. Raises `RuntimeError` if the process failed."""
        self._finish()

    def _abort(self) -> None:
        """Ends the reading and lets any failure pass, because another one is already on its way."""
        try:
            self._finish()
        except Exception:
            pass

    def __exit__(self, type: Any, value: Any, traceback: Any) -> None:
        if type:
            self._abort()
        else:
            self._finish()

    def __del__(self) -> None:
        if "_process" in self.__dict__:
            self._finish()

    def _ends(self) -> tuple[Any, Any]:
        return self._process.stdout, self._input_pipe

    def __iter__(self) -> Iterator[bytes]:
        yield from self._process.stdout
        self._finish()

    def readable(self) -> bool:
        """Always true."""
        return True

    def writable(self) -> bool:
        """Always false."""
        return False


class OutputPipeProcessWrapper(_ProcessPipe):
    """Writes to a subprocess, whose output goes to `output_pipe`.

    `close` waits for the process and closes `output_pipe`; if the process failed it raises
    `RuntimeError` and the output is thrown away, as it is after an exception in a `with` block.
    """

    # How many writes go by between two flushes.
    WRITES_BEFORE_FLUSH = 10000

    _process: Any

    # So that a process that could not be started leaves nothing to be finished.
    closed = True

    def __init__(self, command: Sequence[str], output_pipe: Any = None) -> None:
        import subprocess

        self._command = command
        self._output_pipe = output_pipe
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output_pipe, close_fds=True)
        self._flushcount = 0
        self.closed = False

    def write(self, *args: Any, **kwargs: Any) -> None:
        """Sends bytes to the process."""
        self._process.stdin.write(*args, **kwargs)
        self._flushcount = (self._flushcount + 1) % self.WRITES_BEFORE_FLUSH
        if self._flushcount == 0:
            self._process.stdin.flush()

    def writeLine(self, line: Any) -> None:
        """Sends one line, given without its end."""
        assert "\n" not in line
        self.write(line + "\n")

    def _finish(self) -> None:
        """Ends the process's input and waits for it, once."""
        if self._process.returncode is None:
            try:
                self._process.stdin.close()
            finally:
                self._process.wait()
                self.closed = True

    def close(self) -> None:
        """Finishes the output, or raises `RuntimeError` if the process failed."""
        try:
            self._finish()
        except BrokenPipeError:
            # A process that failed is reported as such below; one that succeeded did not read everything.
            if self._process.returncode == 0:
                self._discard_output()
                raise
        if self._process.returncode != 0:
            self._discard_output()
            raise RuntimeError(f"Error when executing command {self._command}")
        if self._output_pipe is not None:
            self._output_pipe.close()

    def abort(self) -> None:
        """Ends the process and throws its output away."""
        try:
            self._finish()
        except BrokenPipeError:
            pass
        self._discard_output()

    def _discard_output(self) -> None:
        discard = getattr(self._output_pipe, "abort", None)
        if discard is not None:
            discard()

    def __exit__(self, type: Any, value: Any, traceback: Any) -> None:
        if type is None:
            self.close()
        else:
            self.abort()

    def __del__(self) -> None:
        if not self.closed:
            self.abort()

    def _ends(self) -> tuple[Any, Any]:
        return self._process.stdin, self._output_pipe

    def readable(self) -> bool:
        """Always false."""
        return False

    def writable(self) -> bool:
        """Always true."""
        return True


class BaseWrapper:
    """A stream that passes everything on to the one below; subclasses change what they must."""

    def __init__(self, stream: Any, *args: Any, **kwargs: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":
            raise AttributeError(name)
        return getattr(self._stream, name)

    def __enter__(self) -> Self:
        self._stream.__enter__()
        return self

    def __exit__(self, *args: Any) -> None:
        self._stream.__exit__(*args)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._stream
        finally:
            self.close()


class NewlineWrapper(BaseWrapper):
    """Bytes whose line ends are made alike.

    With no `newline`, reading gives `\\n` and writing the system's own; an empty one leaves what is
    read as it is and writes the system's own.
    """

    def __init__(self, stream: Any, newline: str | None = None) -> None:
        self.newline = None if newline is None else newline.encode("ascii")
        if self.newline not in (b"", b"\r\n", b"\n", b"\r", None):
            raise ValueError("newline need to be one of {b'', b'\r\n', b'\n', b'\r', None}")
        super().__init__(stream)

    def read(self, n: int = -1) -> bytes:
        """Reads up to `n` bytes of the stream below."""
        data = self._stream.read(n)
        if self.newline == b"":
            return data
        return _LINE_END.sub(self.newline or b"\n", data)

    def write(self, b: bytes) -> None:
        """Writes bytes with the line ends of this stream."""
        self._stream.write(self._outgoing(b))

    def writelines(self, lines: Iterable[bytes]) -> None:
        """Writes several pieces one after the other."""
        self._stream.writelines(map(self._outgoing, lines))

    def _outgoing(self, data: bytes) -> bytes:
        return _LINE_END.sub(self.newline or os.linesep.encode("ascii"), data)


class MixedUnicodeBytesWrapper(BaseWrapper):
    """A byte stream that also takes text, with a warning, and encodes it (by default as the system does)."""

    def __init__(self, stream: Any, encoding: str | None = None) -> None:
        if encoding is None:
            import locale

            encoding = locale.getpreferredencoding()
        self.encoding = encoding
        super().__init__(stream)

    def write(self, b: str | bytes) -> None:
        """Writes bytes, or text as bytes."""
        self._stream.write(self._convert(b))

    def writelines(self, lines: Iterable[str | bytes]) -> None:
        """Writes several pieces one after the other."""
        self._stream.writelines(map(self._convert, lines))

    def _convert(self, b: str | bytes) -> bytes:
        if not isinstance(b, str):
            return b
        _warnings.warn("Writing unicode to byte stream")
        return b.encode(self.encoding)


class TextWrapper(io.TextIOWrapper):
    """Text over a byte stream, which decides itself what leaving a `with` block and being dropped mean."""

    def __init__(self, stream: Any, *args: Any, **kwargs: Any) -> None:
        self._stream = stream
        super().__init__(stream, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":
            raise AttributeError(name)
        return getattr(self._stream, name)

    def __enter__(self) -> Self:
        self._stream.__enter__()
        return self

    def __exit__(self, *args: Any) -> None:
        try:
            if not self.closed and self.writable():
                self.flush()
        except BaseException as error:
            # What could not be written must not be taken for complete by the stream below.
            self._stream.__exit__(type(error), error, error.__traceback__)
            raise
        self._stream.__exit__(*args)

    def __del__(self) -> None:
        try:
            if self.closed:
                return
            if self.writable():
                self.flush()
        except ValueError:
            return  # Never set up, or detached from its stream, which then lives on by itself.
        finalize = getattr(self._stream, "__del__", None)
        if finalize is not None:
            finalize()


class Format:
    """How a target's content looks to the user; a subclass wraps the stream for reading and for writing."""

    if TYPE_CHECKING:
        # A subclass may have methods of its objects in the place of these.
        pipe_reader: Any
        pipe_writer: Any
    else:

        @classmethod
        def pipe_reader(cls, input_pipe: Any) -> Any:
            """Wraps the stream that a target reads from."""
            raise NotImplementedError()

        @classmethod
        def pipe_writer(cls, output_pipe: Any) -> Any:
            """Wraps the stream that a target writes to."""
            raise NotImplementedError()

    def __rshift__(a, b: Format) -> ChainFormat:
        return ChainFormat(a, b)


class ChainFormat(Format):
    """Several formats in a row, the user's side first.

    Neighbours that both say what they give and take must agree, otherwise `TypeError`;
    `check_consistency=False` leaves that out.
    """

    def __init__(self, *args: Format, **kwargs: Any) -> None:
        self.args = args
        if hasattr(args[0], "input"):
            self.input = args[0].input
        if hasattr(args[-1], "output"):
            self.output = args[-1].output
        if kwargs.get("check_consistency", True):
            for upper, lower in zip(args, args[1:]):
                self._check(upper, lower)

    @staticmethod
    def _check(upper: Any, lower: Any) -> None:
        if not (hasattr(upper, "output") and hasattr(lower, "input")) or upper.output == lower.input:
            return
        raise TypeError(
            "The format chaining is not valid, %s expect %s but %s provide %s"
            % (type(lower).__name__, lower.input, type(upper).__name__, upper.output)
        )

    def pipe_reader(self, input_pipe: Any) -> Any:
        """Wraps the stream in every format's reader, the innermost last in the row."""
        for format in reversed(self.args):
            input_pipe = format.pipe_reader(input_pipe)
        return input_pipe

    def pipe_writer(self, output_pipe: Any) -> Any:
        """Wraps the stream in every format's writer, the innermost last in the row."""
        for format in reversed(self.args):
            output_pipe = format.pipe_writer(output_pipe)
        return output_pipe


class NopFormat(Format):
    """The bytes as they are."""

    def pipe_reader(self, input_pipe: Any) -> Any:
        """The stream itself."""
        return input_pipe

    def pipe_writer(self, output_pipe: Any) -> Any:
        """The stream itself."""
        return output_pipe


class WrappedFormat(Format):
    """A format that wraps the stream in `wrapper_cls`, with the arguments given to the format."""

    wrapper_cls: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs

    def pipe_reader(self, input_pipe: Any) -> Any:
        """Wraps the stream for reading."""
        return self.wrapper_cls(input_pipe, *self.args, **self.kwargs)

    def pipe_writer(self, output_pipe: Any) -> Any:
        """Wraps the stream for writing."""
        return self.wrapper_cls(output_pipe, *self.args, **self.kwargs)


class TextFormat(WrappedFormat):
    """Text; the arguments are those of `io.TextIOWrapper`, above all `encoding` and `newline`."""

    input = "unicode"
    output = "bytes"
    wrapper_cls = TextWrapper


class MixedUnicodeBytesFormat(WrappedFormat):
    """Bytes, or text that is encoded on the way."""

    output = "bytes"
    wrapper_cls = MixedUnicodeBytesWrapper


class NewlineFormat(WrappedFormat):
    """Bytes with uniform line ends."""

    input = "bytes"
    output = "bytes"
    wrapper_cls = NewlineWrapper


class GzipFormat(Format):
    """Bytes compressed by the `gzip` program, at `compression_level` 1 to 9 if one is given."""

    input = "bytes"
    output = "bytes"

    def __init__(self, compression_level: int | None = None) -> None:
        self.compression_level = compression_level

    def pipe_reader(self, input_pipe: Any) -> InputPipeProcessWrapper:
        """Reads through `gunzip`."""
        return InputPipeProcessWrapper(["gunzip"], input_pipe)

    def pipe_writer(self, output_pipe: Any) -> OutputPipeProcessWrapper:
        """Writes through `gzip`."""
        level = [] if self.compression_level is None else ["-%d" % int(self.compression_level)]
        return OutputPipeProcessWrapper(["gzip", *level], output_pipe)


class Bzip2Format(Format):
    """Bytes compressed by the `bzip2` program."""

    input = "bytes"
    output = "bytes"

    def pipe_reader(self, input_pipe: Any) -> InputPipeProcessWrapper:
        """Reads through `bzcat`."""
        return InputPipeProcessWrapper(["bzcat"], input_pipe)

    def pipe_writer(self, output_pipe: Any) -> OutputPipeProcessWrapper:
        """Writes through `bzip2`."""
        return OutputPipeProcessWrapper(["bzip2"], output_pipe)


Text = TextFormat()
UTF8 = TextFormat(encoding="utf8")
Nop = NopFormat()
SysNewLine = NewlineFormat()
Gzip = GzipFormat()
Bzip2 = Bzip2Format()
MixedUnicodeBytes = MixedUnicodeBytesFormat()


def get_default_format() -> Format:
    """The format of a target that names none: text in the system's encoding."""
    return Text
