"""Stand-ins for the commands of Grid Engine and LSF, which run the jobs they are given on this machine.

The program looks at the name it is called by. Jobs are files in the folder that BATCH_ROOT names: ``<number>.pid``
holds the process, ``<number>.code`` its exit code when it has ended, ``<number>.looks`` how often was asked for it; a
job begins only at the third look.
"""

import os
import signal
import subprocess
import sys

ROOT = os.environ.get("BATCH_ROOT", "/nonexistent")


def path(number, kind):
    return os.path.join(ROOT, "%s.%s" % (number, kind))


def read(number, kind):
    try:
        with open(path(number, kind)) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def submit(command, out, err):
    """Queue a shell line; return its number."""
    number = 1 + len([name for name in os.listdir(ROOT) if name.endswith(".script")])
    with open(path(number, "script"), "w") as script:
        script.write("(%s) > '%s' 2> '%s'; echo $? > '%s'\n" % (command, out, err, path(number, "code")))
    return number


def look(number):
    """One of ``waiting``, ``running`` or an exit code; lets time go on for the job."""
    looks = len(read(number, "looks")) + 1
    with open(path(number, "looks"), "a") as file:
        file.write(".")
    if looks == 3:
        process = subprocess.Popen(
            ["sh", path(number, "script")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with open(path(number, "pid"), "w") as file:
            file.write(str(process.pid))
    code = read(number, "code").strip()
    return code or ("waiting" if looks < 3 else "running")


def kill(number):
    with open(path(number, "killed"), "w"):
        pass
    if read(number, "pid"):
        os.killpg(int(read(number, "pid")), signal.SIGKILL)


def option(arguments, name):
    return arguments[arguments.index(name) + 1]


def qsub(arguments):
    out, err = (option(arguments, name).lstrip(":") for name in ("-o", "-e"))
    number = submit(sys.stdin.read().strip(), out, err)
    print('Your job %d ("%s") has been submitted' % (number, option(arguments, "-N")))


def qstat(arguments):
    rows = []
    for name in sorted(os.listdir(ROOT)):
        number, _, kind = name.partition(".")
        if kind == "script":
            state = read(number, "state") or {"waiting": "qw", "running": "r"}.get(look(number))
            if state:
                rows.append("%7s 0.25000 name user %5s 02/29/2024 08:01:02 long.q@node 1" % (number, state))
    if rows:
        print("job-ID  prior   name       user         state submit/start at     queue  slots ja-task-ID\n" + "-" * 80)
        print("\n".join(rows))


def bsub(arguments):
    flags = {"-q", "-n", "-M", "-R", "-W", "-J", "-o", "-e", "-P"}
    at = 0
    while arguments[at] in flags:
        at += 2
    words = " ".join("'%s'" % word for word in arguments[at:])
    number = submit(words, option(arguments, "-o"), option(arguments, "-e"))
    print("Job <%d> is submitted to queue <%s>." % (number, option(arguments, "-q")))


def bjobs(arguments):
    number = arguments[-1]
    result = look(number)
    print(read(number, "state") or {"waiting": "PEND", "running": "RUN", "0": "DONE"}.get(result, "EXIT"))


if __name__ == "__main__":
    called_as = os.path.basename(sys.argv[0])
    with open(sys.argv[0] + ".calls", "a") as calls:
        calls.write("%r\n" % (sys.argv[1:],))
    if called_as in ("qdel", "bkill"):
        kill(sys.argv[1])
    else:
        {"qsub": qsub, "qstat": qstat, "bsub": bsub, "bjobs": bjobs}[called_as](sys.argv[1:])
