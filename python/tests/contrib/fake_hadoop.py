"""A stand-in for the command ``hadoop``: HDFS is a folder, and streaming jobs run in the caller's machine.

It is run as a program, with the folder in the variable HDFS_ROOT. A job's steps run as Hadoop runs them: in a folder of
their own that holds only the files that were sent, over lines that are sorted between map and reduce.
"""

import glob
import os
import shutil
import subprocess
import sys

ROOT = os.environ.get("HDFS_ROOT", "/nonexistent")


def local(path):
    return os.path.join(ROOT, path.lstrip("/"))


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)


def file_system(command, *arguments):
    *options, path = [a for a in arguments if a == "-" or not a.startswith("-")]
    flags = [a for a in arguments if a.startswith("-") and a != "-"]
    if command == "-mkdir":
        os.makedirs(local(path), exist_ok="-p" in flags)
    elif command == "-put":
        (source,) = options
        os.makedirs(os.path.dirname(local(path)), exist_ok=True)
        with open(local(path), "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer if source == "-" else open(source, "rb"), file)
    elif command == "-get":
        shutil.copy(local(options[0]), path)
    elif not glob.glob(local(options[0] if command == "-mv" else path)):
        fail("stat: `%s': No such file or directory" % path)
    elif command == "-mv":
        target = local(path)
        shutil.move(local(options[0]), target)
    elif command == "-rm":
        shutil.rmtree(local(path)) if "-r" in flags and os.path.isdir(local(path)) else os.remove(local(path))
    elif command == "-ls":
        for name in sorted(os.listdir(local(path))):
            print("-rw-r--r-- 1 user group 1 2026-01-01 00:00 %s/%s" % (path, name))
    elif command in ("-cat", "-text"):
        for name in sorted(glob.glob(local(path))):
            sys.stdout.write(open(name).read())


def streaming(arguments):
    options = {}
    while arguments:
        options.setdefault(arguments[0].lstrip("-"), []).append(arguments[1])
        del arguments[:2]
    (output,) = options["output"]
    lines = []
    for path in options["input"]:
        for name in sorted(glob.glob(local(path) + ("/*" if os.path.isdir(local(path)) else ""))):
            lines += open(name).readlines()
    print("INFO impl.YarnClientImpl: Submitted application application_7", file=sys.stderr)
    print("INFO mapreduce.Job: The url to track the job: http://Tracker/Proxy/7/", file=sys.stderr)
    print("INFO mapreduce.Job: Running job: job_7", file=sys.stderr)
    for step in ("mapper", "combiner", "reducer"):
        if step not in options:
            continue
        folder = local("node-" + step)
        os.makedirs(folder)
        for name in options["file"]:
            shutil.copy(name, folder)
        for entry in ",".join(options.get("files", [])).split(","):
            if entry:
                source, link = entry.split("#")
                shutil.copy(source, os.path.join(folder, link))
        # The node knows neither the caller's module path nor its working folder.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            [sys.executable if word == "python" else word for word in options[step][0].split()],
            cwd=folder,
            env=environment,
            input="".join(lines),
            capture_output=True,
            text=True,
        )
        sys.stderr.write(done.stderr)
        if done.returncode:
            fail("ERROR streaming.StreamJob: Job not successful!")
        lines = sorted(done.stdout.splitlines(keepends=True))
    os.makedirs(local(output))
    with open(os.path.join(local(output), "part-00000"), "w") as file:
        file.writelines(lines)
    open(os.path.join(local(output), "_SUCCESS"), "w").close()


if __name__ == "__main__":
    with open(__file__ + ".calls", "a") as calls:
        calls.write("%r\n" % (sys.argv[1:],))
    if sys.argv[1] == "fs":
        file_system(*sys.argv[2:])
    elif sys.argv[2].endswith("streaming.jar"):
        streaming(sys.argv[3:])
    else:
        # Any other jar is a shell script that gets the arguments behind Hadoop's own.
        rest = [a for a in sys.argv[3:] if not a.startswith("-D")]
        sys.exit(subprocess.run(["sh", sys.argv[2], *rest]).returncode)
