"""Processes that run one task after another, for ``[worker] reuse_processes``.

A process that is kept saves the time of its start. What tasks of one process share: modules and what they
keep in globals and caches, open files and connections, the memory, and the environment. The task is built
anew in the process from its module, family and parameters.
"""

from __future__ import annotations

import functools
import multiprocessing
import pickle
from multiprocessing.connection import Connection, Pipe
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from condotta import _engine
from luigi._results import Channel
from luigi._worker_parts import DequeQueue

if TYPE_CHECKING:
    from luigi._run_output import RunOutput
    from luigi.worker import TaskProcess


# What ``multiprocessing.Process`` keeps of a process, and the ways of its results and of what it prints.
_OF_A_PROCESS = {*multiprocessing.Process().__dict__, "result_queue", "output"}


class Runner:
    """One process that is kept, seen from the worker."""

    def __init__(self, output: RunOutput | None) -> None:
        requests, self._requests = Pipe(duplex=False)
        self.results, results = Pipe(duplex=False)
        # All its runs print into the pipes that are made for the first one.
        self._output = output
        arguments = (requests, results, output)
        self.process = multiprocessing.Process(target=_serve, args=arguments, name="luigi-runner")
        if output is not None:
            output.open()
        try:
            self.process.start()
        finally:
            if output is not None:
                output.started()
        requests.close()
        results.close()
        # The interpreter waits for its processes when it ends, so this one has to hear of it before.
        self._farewell = Finalize(self, _say_farewell, args=(self._requests,), exitpriority=10)

    def send(self, run: bytes, output: RunOutput | None) -> None:
        """Has a run carried out. Raises OSError if the process has gone."""
        if self._output is not None and output is not None:
            self._output.lend(output)
        self._requests.send_bytes(run)

    def close(self) -> None:
        """Lets the process end."""
        self._farewell()
        self.results.close()
        self.process.join()


class Runners:
    """The processes of one worker that are kept."""

    def __init__(self) -> None:
        self._idle: list[Runner] = []

    def start(self, process: TaskProcess) -> bool:
        """Has the run of ``process`` carried out by a process that is kept, if its parts can be sent there."""
        try:
            run = _shipped(process)
        except (AttributeError, TypeError, RuntimeError, pickle.PicklingError):
            return False
        _engine.undisturbed(functools.partial(self._send, run), process)
        return True

    def _send(self, run: bytes, process: TaskProcess) -> None:
        while self._idle:
            runner = self._idle.pop()
            try:
                runner.send(run, process.output)
                break
            except OSError:
                runner.close()
        else:
            runner = Runner(process.output)
            runner.send(run, process.output)
        own = process._popen = _Run(runner)  # type: ignore[attr-defined]
        process._sentinel = own.sentinel  # type: ignore[attr-defined]
        process.result_queue.read_from(runner.results, functools.partial(self._give_back, own))

    def _give_back(self, run: _Run) -> None:
        """Keeps a process whose run has ended for the next one."""
        run.ended = True
        self._idle.append(run.runner)

    def close(self) -> None:
        """Lets all idle processes end."""
        for runner in self._idle:
            runner.close()
        self._idle = []


class _Run:
    """What ``multiprocessing.Process`` asks of the operating system's process, for one run in one that is kept."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.ended = False
        self.pid = runner.process.pid
        self.sentinel = runner.process.sentinel

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self, flag: int = 0) -> int | None:
        return 0 if self.ended else self.runner.process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        if not self.ended:
            self.runner.process.join(timeout)
        return self.poll()

    def terminate(self) -> None:
        if not self.ended:
            self.runner.process.terminate()

    def kill(self) -> None:
        if not self.ended:
            self.runner.process.kill()


def _shipped(process: TaskProcess) -> bytes:
    """A run as it is sent to a process that is kept: all but what belongs to a process of its own."""
    state = process.__getstate__()
    state["attributes"] = {name: value for name, value in state["attributes"].items() if name not in _OF_A_PROCESS}
    return pickle.dumps((type(process), state))


def unsendable(process: TaskProcess, error: Exception) -> str:
    """Which attribute keeps a process from being started."""
    for name, value in process.__dict__.items():
        if name in _OF_A_PROCESS or name == "task":
            continue
        try:
            ForkingPickler.dumps(value)
        except (AttributeError, TypeError, pickle.PicklingError) as reason:
            return f"attribute {name} of its {type(process).__name__} cannot be sent there: {reason}"
        except Exception:  # What can be sent to a process while it starts only.
            continue
    return str(error)


def _say_farewell(requests: Connection) -> None:
    try:
        requests.send_bytes(b"")
    except OSError:
        pass  # It has gone already.
    requests.close()


def _serve(requests: Connection, results: Connection, output: RunOutput | None) -> None:
    """Runs what comes until there is nothing more to come."""
    if output is not None:
        output.enter()
    try:
        while run := requests.recv_bytes():
            kind, state = pickle.loads(run)
            process = kind.__new__(kind)
            BaseProcess.__init__(process)
            process.__setstate__(state)
            channel = Channel(process)
            channel.write_to(results)
            process.result_queue = held = DequeQueue()
            try:
                process.run()
            finally:
                # Whoever hears of the end looks for what was printed until then.
                if output is not None:
                    output.settle()
                for result in held:
                    channel.put(result)
    except (EOFError, KeyboardInterrupt):
        pass
