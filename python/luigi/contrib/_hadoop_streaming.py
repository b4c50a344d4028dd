"""The steps of a streaming job as they run on a Hadoop node or here: lines in, lines out, records between.

Between map and reduce a record is a line of two fields parted by a tab, a key and a value. How Python values become
fields and come back is named by the task's ``data_interchange_format``.
"""

from __future__ import annotations

import datetime
import decimal
import os
import sys
from itertools import groupby
from typing import IO, Any, Callable, Iterable, Iterator

try:
    import ujson as json
except ImportError:
    import json


#: What the text of a value may refer to: types whose ``repr`` is a call, and numbers whose ``repr`` is a name.
_NAMES = {"datetime": datetime, "Decimal": decimal.Decimal, "nan": float("nan"), "inf": float("inf")}


def _value_of_repr(text: str) -> Any:
    """Turn ``repr`` of a value back into the value. The text is the job's own output, which is trusted."""
    return eval(text, _NAMES)


DataInterchange: dict[str, dict[str, Callable[[Any], Any]]] = {
    "python": {"serialize": str, "internal_serialize": repr, "deserialize": _value_of_repr},
    "json": {"serialize": json.dumps, "internal_serialize": json.dumps, "deserialize": json.loads},
}


def flatten(sequence: Iterable[Any]) -> Iterator[Any]:
    """Yield the items, and instead of an item that holds others (one that is no text) those; one level only."""
    for item in sequence:
        if hasattr(item, "__iter__") and not isinstance(item, (str, bytes)):
            yield from item
        else:
            yield item


class StreamingSteps:
    """The methods of a streaming task that run where the data are. A mixin of ``JobTask``."""

    reducer: Any = NotImplemented
    combiner: Any = NotImplemented

    # These belong to the task that this is mixed into.
    final_mapper: Any
    final_combiner: Any
    final_reducer: Any
    data_interchange_format: str
    batch_counter_default: int
    init_hadoop: Callable[[], None]
    serialize: Callable[[Any], str]
    internal_serialize: Callable[[Any], str]
    deserialize: Callable[[str], Any]

    def init_mapper(self) -> None:
        """Called on the node before the mapper starts."""

    def init_combiner(self) -> None:
        """Called on the node before the combiner starts."""

    def init_reducer(self) -> None:
        """Called on the node before the reducer starts."""

    def mapper(self, item: Any) -> Iterable[tuple[Any, ...]]:
        """Yield keys and values for what the reader read, by default a line; unless overridden, the line itself."""
        yield None, item

    def reader(self, input_stream: Iterable[str]) -> Iterable[tuple[Any, ...]]:
        """Yield the mapper's arguments; by default each line is one argument."""
        for line in input_stream:
            yield (line,)

    def writer(self, outputs: Iterable[Any], stdout: IO[str], stderr: IO[str] | None = None) -> None:
        """Write the job's results, by default their fields parted by tabs."""
        for output in outputs:
            try:
                print("\t".join(self._fields(output)), file=stdout)
            except BaseException:
                print(output, file=stderr or sys.stderr)
                raise

    def _fields(self, output: Iterable[Any]) -> Iterable[str]:
        if self.data_interchange_format == "json":
            # Of key and value one is already JSON and the other is empty.
            return filter(None, flatten(output))
        return map(self.serialize, flatten(output))

    def incr_counter(self, *args: Any, **kwargs: Any) -> None:
        """Add to a counter of Hadoop: ``(group, name, count)``, or ``(name, count)``.

        Telling Hadoop is slow, so additions are gathered up to ``threshold`` (else ``batch_counter_default``).
        """
        *key, count = args
        gathered = self._counters().get(tuple(key), 0) + count
        if gathered >= kwargs.get("threshold", self.batch_counter_default):
            self._incr_counter(*key, gathered)
            gathered = 0
        self._counters()[tuple(key)] = gathered

    def _counters(self) -> dict[tuple[str, ...], Any]:
        """The additions that Hadoop has not been told; each task has its own."""
        return self.__dict__.setdefault("_counter_dict", {})

    def _flush_batch_incr_counter(self) -> None:
        for key, count in self._counters().items():
            if count != 0:
                self._incr_counter(*key, count)
                self._counters()[key] = 0

    def _incr_counter(self, *args: Any) -> None:
        """Tell Hadoop of an addition to a counter, which costs about a millisecond."""
        print("reporter:counter:" + ",".join(map(str, args)), file=sys.stderr)

    def add_link(self, src: str, dst: str) -> None:
        """Have the file ``src`` of the node's working folder linked to ``dst`` before a step starts."""
        if not hasattr(self, "_links"):
            self._links: list[tuple[str, str]] = []
        self._links.append((src, dst))

    def _make_links(self) -> list[str]:
        """Make the links that were asked for, and return the names of files that are not there."""
        missing = []
        for source, destination in getattr(self, "_links", ()):
            folder = os.path.dirname(destination)
            if folder:
                os.makedirs(folder, exist_ok=True)
            if not os.path.exists(source):
                missing.append(source)
            elif not os.path.exists(destination):
                # A combiner runs in the folder where the mapper has made the links already.
                os.link(source, destination)
        return missing

    def run_mapper(self, stdin: Iterable[str] = sys.stdin, stdout: IO[str] = sys.stdout) -> None:
        """Map every line of ``stdin``; without a reducer the outcome is the job's result."""
        self.init_hadoop()
        self.init_mapper()
        outputs = self._map_input(_without_ends(stdin))
        if self.reducer is NotImplemented:
            self.writer(outputs, stdout)
        else:
            self.internal_writer(outputs, stdout)

    def run_reducer(self, stdin: Iterable[str] = sys.stdin, stdout: IO[str] = sys.stdout) -> None:
        """Reduce the sorted records of ``stdin`` to the job's result."""
        self.init_hadoop()
        self.init_reducer()
        records = self.internal_reader(_without_ends(stdin))
        self.writer(self._reduce_input(records, self.reducer, self.final_reducer), stdout)

    def run_combiner(self, stdin: Iterable[str] = sys.stdin, stdout: IO[str] = sys.stdout) -> None:
        """Reduce the sorted records of one mapper to fewer records."""
        self.init_hadoop()
        self.init_combiner()
        records = self.internal_reader(_without_ends(stdin))
        self.internal_writer(self._reduce_input(records, self.combiner, self.final_combiner), stdout)

    def _map_input(self, input_stream: Iterable[str]) -> Iterator[Any]:
        for record in self.reader(input_stream):
            yield from self.mapper(*record)
        if self.final_mapper is not NotImplemented:
            yield from self.final_mapper()
        self._flush_batch_incr_counter()

    def _reduce_input(self, inputs: Iterable[Any], reducer: Any, final: Any = NotImplemented) -> Iterator[Any]:
        """Call ``reducer`` once for each run of equal keys, with an iterator over their values."""
        for key, records in groupby(inputs, key=lambda record: self.internal_serialize(record[0])):
            yield from reducer(self.deserialize(key), (record[1] for record in records))
        if final is not NotImplemented:
            yield from final()
        self._flush_batch_incr_counter()

    def internal_reader(self, input_stream: Iterable[str]) -> Iterator[list[Any]]:
        """Yield the records that :py:meth:`internal_writer` wrote."""
        for line in input_stream:
            yield [self.deserialize(field) for field in line.split("\t")]

    def internal_writer(self, outputs: Iterable[Any], stdout: IO[str]) -> None:
        """Write records for the next step."""
        for output in outputs:
            print("\t".join(map(self.internal_serialize, output)), file=stdout)


def _without_ends(lines: Iterable[str]) -> Iterator[str]:
    """The lines without their line ends; the last line may have none."""
    for line in lines:
        yield line[:-1] if line.endswith("\n") else line
