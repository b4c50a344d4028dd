#!/usr/bin/env python3
"""Replays the scenario files against stock Luigi's scheduler, in process, with time set by the script.

Run it with a Python that has luigi 3.8.1:  python scenarios/replay_on_stock.py [FILE…]
It prints every difference that is not marked as a deviation, ends with `N passed, N failed` (files), and
exits with 1 when anything failed. The grammar is in README.md; the Rust twin of this runner is
crates/condotta-protocol/tests/scenarios.rs.
"""

import json
import logging
import pathlib
import re
import sys
import time

# Seconds since the epoch at which every scenario starts. Zero would not do: Luigi takes it for "no time".
EPOCH = 1000.0

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

# Positional arguments of each verb. A verb not listed here has none.
POSITIONAL = {
    "add_task": ["task_id"],
    "add_task_batcher": ["task_family"],
    "add_scheduler_message_response": ["task_id", "response"],
    "announce_scheduling_failure": ["task_name"],
    "decrease_running_task_resources": ["task_id"],
    "dep_graph": ["task_id"],
    "inverse_dep_graph": ["task_id"],
    "fetch_error": ["task_id"],
    "forgive_failures": ["task_id"],
    "mark_as_done": ["task_id"],
    "re_enable_task": ["task_id"],
    "report_task_statistics": ["task_id"],
    "get_running_task_resources": ["task_id"],
    "get_scheduler_message_response": ["task_id"],
    "get_task_progress_percentage": ["task_id"],
    "get_task_status_message": ["task_id"],
    "send_scheduler_message": ["task", "content"],
    "set_task_progress_percentage": ["task_id", "progress_percentage"],
    "set_task_status_message": ["task_id", "status_message"],
    "set_worker_processes": ["n"],
    "task_search": ["task_str"],
    "update_resource": ["resource", "amount"],
}

# Arguments written as `a,b` and as `a:1,b:2`.
LISTS = {"deps", "new_deps", "current_tasks", "batched_args", "owners"}
MAPS = {"resources", "decrease_resources", "params", "param_visibilities", "retry_policy_dict", "statistics"}

TIMES = {"start_time", "last_updated", "time_running", "last_active", "started"}

LINE = re.compile(r"^(?P<time>\S+)\s+(?P<worker>\S+)\s+(?P<request>.+?)\s+->\s+(?P<reply>.+)$")
DEVIATION = re.compile(r"^ours: (?P<ours>.*) \| stock: (?P<stock>.*) \(deviation: (?P<name>[a-z0-9-]+)\)$")


class Clock:
    """The time that Luigi sees."""

    def __init__(self):
        self.monotonic = EPOCH
        self.jump = 0.0

    def __call__(self):
        return self.monotonic + self.jump


def seconds(text):
    return float(text[:-1]) * UNITS[text[-1]]


def scalar(text):
    """A JSON value if it is one, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def value(name, text):
    """The value of `name=text`."""
    if text[:1] in ('"', "{", "[") or text == "null":
        return json.loads(text)
    if name in LISTS:
        return [part for part in text.split(",") if part]
    if name in MAPS:
        pairs = [part.split(":", 1) for part in text.split(",") if part]
        return {key: (item if name == "params" else scalar(item)) for key, item in pairs}
    return scalar(text)


def tokens(text):
    """Splits at blanks that are not within quotes, braces or brackets."""
    found, token, depth, quoted = [], "", 0, False
    for char in text:
        if char == '"':
            quoted = not quoted
        elif not quoted and char in "{[":
            depth += 1
        elif not quoted and char in "}]":
            depth -= 1
        if char.isspace() and not quoted and depth == 0:
            if token:
                found.append(token)
            token = ""
        else:
            token += char
    return found + [token] if token else found


def show(field, item):
    """A value as the scenario files write it."""
    if item is None or item == [] or item == {} or item == "":
        return "-"
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, (int, float)):
        if field in TIMES:
            return show(None, item - EPOCH) + "s"
        return str(int(item)) if item == int(item) else repr(item)
    if isinstance(item, list):
        return ",".join(sorted(item) if field == "deps" else item)
    if isinstance(item, dict):
        if field == "running":
            return ",".join(sorted(item))
        return ",".join(f"{key}:{'+'.join(part) if isinstance(part, list) else show(None, part)}" for key, part in sorted(item.items()))
    return str(item)


def ids(found):
    return " ".join(sorted(found)) or "-"


def counts(reply):
    text = f"pending={reply['n_pending_tasks']} unique={reply['n_unique_pending']}"
    if "n_pending_last_scheduled" in reply:
        text += f" last={reply['n_pending_last_scheduled']}"
    running = sorted(f"{task['task_id']}@{task['worker']}" for task in reply["running_tasks"])
    if running:
        text += " running=" + ",".join(running)
    if reply["worker_state"] != "active":
        text += " " + reply["worker_state"]
    return text


def work(reply, flags):
    if reply["worker_state"] == "disabled":
        text = "disabled"
    elif "batch_id" in reply:
        text = "batch " + ",".join(reply["batch_task_ids"])
    else:
        text = reply["task_id"] or "-"
    if "with-counts" in flags:
        text += " " + counts(reply)
    if "with-params" in flags:
        text += " " + show(None, reply.get("task_params"))
    return text


def graph(reply):
    def node(task_id, task):
        placeholder = "?" if task["status"] == "UNKNOWN" and task["start_time"] == "UNKNOWN" else ""
        deps = ">" + ",".join(sorted(task["deps"])) if task["deps"] else ""
        return task_id + placeholder + deps

    return " ".join(node(*item) for item in sorted(reply.items())) or "-"


def message(item):
    return item["name"] + ":" + show(None, {key: part for key, part in item["kwargs"].items() if key != "message_id"})


def project(method, reply, flags):
    """The short form of a reply."""
    if reply is None:
        return "ok"
    if method == "get_work":
        return work(reply, flags)
    if method == "count_pending":
        return counts(reply)
    if method == "ping":
        return " ".join(message(item) for item in reply["rpc_messages"]) or "-"
    if method in ("dep_graph", "inverse_dep_graph", "graph"):
        return graph(reply)
    if method == "task_list":
        return f"num_tasks={reply['num_tasks']}" if "num_tasks" in reply else ids(reply)
    if method == "task_search":
        return " ".join(f"{status}:{','.join(sorted(found))}" for status, found in sorted(reply.items())) or "-"
    if method == "worker_list":
        return " ".join(item["name"] for item in reply) or "-"
    if method == "resource_list":
        parts = (f"{item['name']}={item['num_used']}/{item['num_total']}" + (":" + ",".join(sorted(item["running"])) if item["running"] else "") for item in reply)
        return " ".join(sorted(parts)) or "-"
    if method == "send_scheduler_message":
        return "off" if reply["message_id"] is None else "ok"
    # The rest answers one thing under one of these names.
    for key in ("status", "error", "statusMessage", "progressPercentage", "resources", "response", "enabled", "paused"):
        if isinstance(reply, dict) and key in reply:
            return show(None, reply[key])
    return show(None, reply)


def comparable(item):
    """JSON without the order of `deps`, which is a set in Luigi."""
    if isinstance(item, dict):
        return {key: sorted(part) if key == "deps" else comparable(part) for key, part in item.items()}
    return [comparable(part) for part in item] if isinstance(item, list) else item


class Replay:
    """One scenario file on one scheduler."""

    def __init__(self, path, clock):
        self.path = path
        self.clock = clock
        self.config = {}
        self.resources = {}
        self.scheduler = None
        self.names = {}
        self.differences = []

    def run(self):
        self.clock.__init__()
        for number, line in enumerate(self.path.read_text().splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            try:
                self.line(number, line)
            except Exception as error:  # noqa: BLE001 - a broken line is a failure of its file
                self.differences.append(f"{self.path}:{number}: {line}\n    {type(error).__name__}: {error}")
        return self.differences

    def line(self, number, line):
        first, _, rest = line.partition(" ")
        if first == "config":
            self.config.update((key, scalar(text)) for key, text in (part.split("=") for part in rest.split()))
        elif first == "resources":
            self.resources.update((key, int(text)) for key, text in (part.split("=") for part in rest.split()))
        elif first == "wall":
            sign, span = rest.strip()[0], rest.strip()[1:]
            self.clock.jump += seconds(span) * (1 if sign == "+" else -1)
        else:
            self.request(number, line)

    def request(self, number, line):
        match = LINE.match(line)
        if not match:
            raise ValueError("not a request: <time> <worker or -> <verb> <args> -> <reply>")
        self.clock.monotonic = EPOCH + seconds(match["time"])
        if self.scheduler is None:
            import luigi.scheduler

            self.scheduler = luigi.scheduler.Scheduler(resources=self.resources, **self.config)
        deviation = DEVIATION.match(match["reply"])
        expected = deviation["stock"] if deviation else match["reply"]
        request = match["request"]
        for name, text in self.names.items():
            request = request.replace("$" + name, text)
        actual = self.answer(match["worker"], request, expected)
        if actual != expected:
            self.differences.append(f"{self.path}:{number}: {line}\n    expected: {expected}\n    stock:    {actual}")

    def answer(self, worker, request, expected):
        verb, _, rest = request.partition(" ")
        if verb == "raw":
            method, _, arguments = rest.partition(" ")
            return self.raw(method, json.loads(arguments), expected)
        words = tokens(rest)
        if verb == "status":
            return " ".join(self.field(task_id, "status") for task_id in words)
        if verb == "show":
            return " ".join(self.field(words[0], name) for name in words[1:])
        if verb == "worker":
            found = [item for item in self.call("worker_list", {}) if item["name"] == words[0]]
            return " ".join(show(name, found[0].get(name)) for name in words[1:]) if found else "-"
        flags = {word for word in words if word.startswith("with-")}
        words = [word for word in words if word not in flags]
        method, arguments = self.arguments(verb, worker, words)
        try:
            reply = self.call(method, arguments)
        except Exception:  # noqa: BLE001 - over RPC any of them is a 500
            return "refused"
        if isinstance(reply, dict):
            if reply.get("batch_id"):
                self.names["batch"] = reply["batch_id"]
            if reply.get("message_id"):
                self.names["message"] = reply["message_id"]
        return project(method, reply, flags)

    def arguments(self, verb, worker, words):
        """The method and its keyword arguments."""
        arguments = {} if worker == "-" else {"worker": worker}
        if verb in ("done", "failed"):
            # What a stock worker sends when a run ends.
            arguments.update(status=verb.upper() if verb == "failed" else "DONE", runnable=None, new_deps=[], accepts_messages=False)
            verb = "add-task"
        method = verb.replace("-", "_")
        positional = list(POSITIONAL.get(method, []))
        named = {}
        for word in words:
            key, equals, text = word.partition("=")
            if equals and re.fullmatch(r"[a-z_A-Z0-9]+", key):
                named[key] = value(key, text)
            else:
                name = positional.pop(0)
                arguments[name] = value(name, word)
        if method == "add_worker":
            named = {"info": [list(pair) for pair in named.items()]}
        elif method == "decrease_running_task_resources":
            named = {"decrease_resources": named}
        arguments.update(named)
        return method, arguments

    def call(self, method, arguments):
        """One request as the RPC would make it: through JSON both ways."""
        import luigi.scheduler

        if method not in luigi.scheduler.RPC_METHODS:
            raise LookupError(f"no method {method}")
        reply = getattr(self.scheduler, method)(**json.loads(json.dumps(arguments)))
        return json.loads(json.dumps(reply))

    def raw(self, method, arguments, expected):
        try:
            reply = self.call(method, arguments)
        except Exception:  # noqa: BLE001 - over RPC any of them is a 500
            return "refused"
        if expected != "refused" and comparable(json.loads(expected)) == comparable(reply):
            return expected
        return json.dumps(reply)

    def field(self, task_id, name):
        """A look at a task that, unlike the views, does not prune first."""
        if not self.scheduler._state.has_task(task_id):
            return "-"
        return show(name, self.scheduler._serialize_task(task_id).get(name))


def main(arguments):
    logging.disable(logging.CRITICAL)
    clock = Clock()
    time.time = clock
    here = pathlib.Path(__file__).parent
    paths = [pathlib.Path(name) for name in arguments] or sorted(here.glob("**/*.txt"))
    failed = 0
    for path in paths:
        differences = Replay(path, clock).run()
        failed += bool(differences)
        print("".join(f"{text}\n" for text in differences), end="")
    print(f"{len(paths) - failed} passed, {failed} failed")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
