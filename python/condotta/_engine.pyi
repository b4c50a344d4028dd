"""The native module: the engine as Python sees it."""

import collections
import logging
from collections.abc import Callable, Iterable
from typing import Any, final

from typing_extensions import disjoint_base

__all__ = [
    "Additions",
    "Channel",
    "Engines",
    "FetchError",
    "HttpClient",
    "NoMethodError",
    "NobodyError",
    "OrphanOutput",
    "OwnedFile",
    "Private",
    "RefusedError",
    "RunLog",
    "RunLogs",
    "Scheduler",
    "WorkWatch",
    "WorkerSteps",
    "end_processes",
    "fork",
    "fork_run",
    "heed_signals",
    "lighten_forks",
    "main",
    "next_result",
    "plain_handler",
    "plan_graph",
    "remember_built_in",
    "run_task_process",
    "sort_tasks",
    "summary_text",
    "task_id",
    "undisturbed",
    "version",
]

def version() -> str:
    """The version of the engine."""

def main(
    arguments: list[str] | None = None, *, command: str | None = None, settings: list[tuple[str, str, str]] = ...
) -> int:
    """The command `condotta` with these words after its name; the exit code. It takes over the process."""

@final
class Engines:
    """Where tasks run, if not here: what the sections of a configuration say of it."""

    def __new__(cls, sections: list[tuple[str, list[tuple[str, str]]]]) -> Engines:
        """From sections by name, with keys and values. Raises ValueError with what makes no sense."""

    @staticmethod
    def reads(section: str) -> bool:
        """Whether a section of this name is read."""

    @property
    def families(self) -> list[str]:
        """The families that are named."""

    def folder(self, family: str) -> Any:
        """The folder, a Path, that is shared with the engine of a family; None for one that runs here."""

    def starts_threads(self, family: str) -> bool:
        """Whether `run` starts threads for a family, so that a process that forks must not call it."""

    def run(
        self,
        family: str,
        task_id: str,
        arguments: list[str],
        working_folder: str,
        folder: str,
        secrets: list[str],
        run: Any,
    ) -> None:
        """Start a program for a task, or go on with what runs already, and follow it to its end.

        `run` has `printed(stream, data)`, `stop_requested()`, `set_tracking_url(url)`, `set_status_message(message)`
        and `set_progress_percentage(percentage)`. Raises RuntimeError if it could not be started, or did not end well.
        """

@final
class Scheduler:
    """The scheduler of the engine, in this process. Times are seconds since the epoch."""

    def __new__(cls, config: Any, resources: dict[str, int], saved: bytes | None = None) -> Scheduler:
        """With the settings that `config` has as attributes, these limits of resources, and what `dump` gave."""

    @property
    def noted(self) -> bool:
        """Whether `take_events` has something to tell."""

    @property
    def limits(self) -> dict[str, int]:
        """The limits of resources."""

    def want(self, history: bool, metrics: bool) -> None:
        """Say whether `take_events` is to tell what a task history and metrics want to know."""

    def take_events(self) -> list[tuple[Any, ...]]:
        """What happened since this was last asked, oldest first: tuples that begin with a name and a task's id."""

    def add_task(self, now: float, *args: Any) -> None:
        """Announce a task or report on it: Luigi's arguments in their order, `owners` left out, then the attempt."""

    def get_work(
        self,
        now: float,
        host: str | None,
        assistant: bool,
        current_tasks: Iterable[str] | None,
        worker: str,
        attempts: bool = False,
    ) -> dict[str, Any]:
        """Work for a worker, as Luigi answers; with `attempts` also the number of the attempt."""

    def prune(self, now: float) -> None:
        """Do what is due."""

    def call(self, method: str, now: float, arguments: dict[str, Any]) -> Any:
        """Any method by its name."""

    def update_resources(self, now: float, resources: dict[str, int]) -> None:
        """Set limits of resources."""

    def has_task(self, task_id: str) -> bool:
        """Whether there is such a task."""

    def task(self, task_id: str) -> dict[str, Any] | None:
        """All that is known of a task, by Luigi's names of its attributes."""

    def task_ids(self, *statuses: str) -> list[str]:
        """The ids of the tasks of these statuses, or of all, in the order in which they came."""

    def task_count(self, status: str | None = None) -> int:
        """How many tasks have this status, or how many there are."""

    def tasks_of(self, worker: str) -> list[str]:
        """The ids of the tasks that a worker can run."""

    def keep_tasks(self, task_ids: list[str]) -> None:
        """Forget all tasks but these."""

    def upstream_status(self, task_id: str) -> str:
        """The worst that a task waits for, by its name; empty for nothing of note."""

    def worker(self, worker: str) -> dict[str, Any] | None:
        """All that is known of a worker, by Luigi's names of its attributes."""

    def worker_ids(self) -> list[str]:
        """The ids of the connected workers."""

    def batcher(self, worker: str, family: str) -> tuple[list[str], int | None] | None:
        """The parameters that a worker runs together in a family, and the most tasks of one batch."""

    def dump(self, now: float) -> bytes:
        """All that is known, to be written to a file."""

    def load(self, now: float, saved: bytes) -> None:
        """Take up what `dump` wrote. `ValueError` for anything else: then nothing has changed."""

def sort_tasks(told: Iterable[tuple[Any, str, Any]], run_by_others: Iterable[Any]) -> dict[str, set[Any]]:
    """Sets of tasks by what became of them, from what was told (task, status, whether the worker could run it)."""

def summary_text(sets: dict[str, set[Any]], others: list[tuple[str, int]], summary_length: int, one_line: str) -> str:
    """What the execution summary says within its frame; `others` are other workers and how many tasks they ran."""

def task_id(family: Any, params: Any, shown_params: Any, shown_chars: Any, hash_digits: Any) -> str | None:
    """The id of a task by its serialised parameters, and how much of what it has; `None` for what is no plain text."""

@disjoint_base
class WorkerSteps:
    """The built-in steps of a worker. `luigi.worker.Worker` adds what a worker holds."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> WorkerSteps: ...
    def run(self) -> bool:
        """Ask for work and run it until nothing is left that this worker can do."""

    def _add_worker(self) -> None: ...
    def _log_remote_tasks(self, get_work_response: Any) -> None: ...
    def _keep_alive(self, get_work_response: Any) -> bool: ...
    def _start_phasing_out(self) -> None: ...
    def _run_task(self, task_id: str) -> None: ...
    def _add(self, task: Any, is_complete: Any) -> Additions: ...
    def _add_task_batcher(self, task: Any) -> None: ...
    def _add_task(self, *args: Any, **kwargs: Any) -> None: ...
    def _get_work(self) -> Any: ...
    def _get_work_task_id(self, get_work_response: Any) -> str | None: ...
    def _handle_next_task(self) -> None: ...
    def _purge_children(self) -> None: ...

@final
class Additions:
    """The tasks that a task requires. After the last one it announces the task."""

    def __iter__(self) -> Additions: ...
    def __next__(self) -> Any: ...

def plan_graph(worker: Any, task: Any, pool: Any, queue: Any) -> None:
    """Plan `task` with all that it needs. `pool` checks for completeness and puts what it found on `queue`."""

class FetchError(ConnectionError):
    """A request to the scheduler's server has no answer."""

class NobodyError(FetchError):
    """Nobody listens at the server's address, or the server has just gone or is not ready yet."""

class RefusedError(FetchError):
    """The server will not answer the same request otherwise."""

class NoMethodError(RefusedError):
    """The server has no such method."""

@final
class HttpClient:
    """Sends requests to one server. A process that is forked needs one of its own."""

    def __new__(cls, url: str, timeout: float, token: str | None = None, ca_file: str | None = None) -> HttpClient:
        """Requests to the server at `url`; `timeout` bounds each step, in seconds.

        `token` is sent unless the URL has a user and password; `ca_file` has the certificates to trust.
        """

    def post(self, path: str, arguments: str) -> str:
        """Put keyword arguments, as JSON, to a path below the address; the text of the answer."""

@final
class Private:
    """Hides what a task's private parameters hold, and hidden ones in the task's name."""

    def __new__(cls, params: list[tuple[str, str]], name: str = ..., hidden: list[tuple[str, str]] = ...) -> Private:
        """Hides the texts of these parameters; those of less than 4 bytes only as `name=text`.

        In `name`, which is how the task is shown, those of `hidden` are hidden, too.
        """

    def hide(self, text: str) -> str:
        """The text without what is private."""

    def __getnewargs__(self) -> tuple[list[tuple[str, str]], str, list[tuple[str, str]]]:
        """A process that is not forked is sent it."""

@final
class RunLogs:
    """Sends what the runs of one worker print, from a thread of its own."""

    def __new__(
        cls, url: str, worker: str, timeout: float, token: str | None = None, ca_file: str | None = None
    ) -> RunLogs:
        """To the server at `url`, with the same words as an `HttpClient`."""

    def begin(self, task_id: str, attempt: int | None = None, private: Private | None = None) -> RunLog:
        """A run begins; with the scheduler's number of it, if it gave one. What is private is not sent."""

    def pause(self) -> None:
        """Sends nothing for a moment, so that this process can fork."""

    def resume(self) -> None:
        """Goes on."""

    def settle(self, patience: float) -> None:
        """The worker ends: waits until what its runs printed has been passed on, at most so many seconds."""

@final
class WorkWatch:
    """Waits at a server for one worker, which waits for its runs, and wakes it when there may be work."""

    def __new__(
        cls, url: str, worker: str, timeout: float, token: str | None = None, ca_file: str | None = None
    ) -> WorkWatch:
        """At the server at `url`, spoken to as `HttpClient` does. Nothing is sent yet."""

    def pause(self) -> None:
        """Lets no look-up of a host's name begin for a moment, so that this process can fork."""

    def resume(self) -> None:
        """Lets them begin again."""

@final
class RunLog:
    """Takes what one run prints. It never waits for the scheduler."""

    def write(self, source: str, data: bytes) -> None:
        """Takes what was printed to "stdout" or "stderr"."""

    def record(self, level: int, logger: str, message: str) -> None:
        """Takes a record of the log."""

    def open(self) -> tuple[list[int], list[int], int]:
        """Makes pipes for a process that is about to start: standard output, standard error, records.

        The writing ends are the caller's to close. The reading ends come next, for that process only; last a pipe that
        ends with this one.
        """

    def leave(self) -> None:
        """This is the process of the run, which was forked: it keeps nobody from seeing the worker's end."""

    def read(self) -> None:
        """Reads the pipes until they end, on a thread. What is printed is printed here, too."""

    def lend(self, to: RunLog) -> None:
        """From here on the pipes are another run's, which takes place in the same process."""

    def drain(self) -> None:
        """Waits until nothing is left in the pipes, which go on."""

    def finish(self, last_output: float, flush: float) -> None:
        """The run ended: waits for the end of the files, and until all was sent, at most so many seconds."""

@final
class OrphanOutput:
    """Passes on what a run prints if its worker has gone. Lives in the process of the run."""

    def __new__(cls, worker: int, pipes: list[int]) -> OrphanOutput:
        """`worker` is a pipe that ends with the worker, `pipes` what it reads. Standard output is the worker's yet."""

    def settle(self) -> None:
        """The process is about to end: waits until what it printed has been passed on, if nobody else reads it."""

def end_processes(pid: int, grace: float) -> None:
    """Ends a process and all that it started: asks them, and kills those that are there after `grace` seconds."""

def remember_built_in() -> None:
    """Takes what there is now for what the package made; what is found to be different later was replaced."""

def plain_handler(logger: logging.Logger, level: int) -> logging.StreamHandler[Any] | None:
    """The one handler of this logger, if a line in Luigi's own format is all that comes of a record."""

def lighten_forks() -> None:
    """Has `threading`, `logging` and `random` write to less memory around a fork. What they do stays the same."""

def fork_run(own: Any, shared: Any, plain: bool) -> int:
    """Forks a process that carries out a run and ends. Returns its number.

    `shared` is what all such processes use; `plain` tells that nobody replaced what one does after its fork.
    """

def fork() -> int:
    """`os.fork`, for a process that calls `heed_signals` first of all."""

def heed_signals() -> None:
    """In a process that was forked: takes the handlers of signals back, and handles what came meanwhile."""

def undisturbed(function: Callable[[Any], None], process: Any) -> None:
    """Calls a function that starts `process`. Signals that come meanwhile are handled when it has returned."""

def run_task_process(process: Any) -> None:
    """Carries out the run of a task, as `luigi.worker.TaskProcess.run` says."""

def next_result(here: collections.deque[Any], channels: list[Channel], timeout: float | None) -> Any:
    """Takes the oldest result of a process, for which it waits up to `timeout` seconds; `None` if there is none.

    `NotImplemented` if no process could send one.
    """

@final
class Channel:
    """The results of one run in another process, at both of its ends."""

    def __new__(cls, process: Any = None) -> Channel:
        """For a process that is not started yet."""

    def open(self) -> None:
        """Makes a pipe for a process that is about to start."""

    def started(self) -> None:
        """Leaves the writing end to the process, so that its end can be seen."""

    def read_from(self, reader: Any, when_done: Callable[[], None]) -> None:
        """Takes the one result of a run in a process that is kept, and calls `when_done` when it is there."""

    def write_to(self, writer: Any) -> None:
        """Sends the result of a run in a process that is kept, from there."""

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Sends a result, in full before it returns. One of each run is sent."""

    def close(self) -> None:
        """Takes nothing more."""

    def is_lost(self) -> bool:
        """Whether the process ended, and nothing more can come, before it sent a result."""

    def __reduce__(self) -> tuple[Any, ...]: ...
    def __setstate__(self, writer: Any) -> None: ...

@final
class OwnedFile:
    """Closes a file when nobody has this any more."""

    def __new__(cls, file: int) -> OwnedFile:
        """Takes the number of an open file."""

    def close(self) -> None:
        """Closes the file, if that has not been done."""
