"""Names of the events that a task or the worker can trigger.

A handler is attached with :meth:`luigi.task.Task.event_handler`. Each comment names the arguments a handler is given.
"""


class Event:
    """The built-in event names; any other string is a valid event too."""

    #: ``(task, dependency)``: a dependency was found while the graph was planned.
    DEPENDENCY_DISCOVERED = "event.core.dependency.discovered"
    #: ``(task)``: an external task has no output, or its completeness could not be told.
    DEPENDENCY_MISSING = "event.core.dependency.missing"
    #: ``(task)``: the task was complete when it was planned.
    DEPENDENCY_PRESENT = "event.core.dependency.present"
    #: ``(task, exception)``: ``requires`` (or ``deps``) raised.
    BROKEN_TASK = "event.core.task.broken"
    #: ``(task)``: the run begins.
    START = "event.core.start"
    #: Never triggered by Luigi: a running task tells its progress with it, with arguments of its own choice.
    PROGRESS = "event.core.progress"
    #: ``(task, exception)``: the run failed.
    FAILURE = "event.core.failure"
    #: ``(task)``: the run succeeded.
    SUCCESS = "event.core.success"
    #: ``(task, seconds)``: how long a run that succeeded took.
    PROCESSING_TIME = "event.core.processing_time"
    #: ``(task, message)``: the run was ended because it took too long.
    TIMEOUT = "event.core.timeout"
    #: ``(task, message)``: the process of the run died without reporting.
    PROCESS_FAILURE = "event.core.process_failure"
