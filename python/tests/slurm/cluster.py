"""A Slurm cluster of one node, on loopback and ports of its own: munged, slurmctld and slurmd."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from processes import free_port, wait_until

# It keeps no accounts: what jobs took is tested where programs are handed to Slurm.
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
ReturnToService=2
SlurmdParameters=config_overrides
MpiDefault=none
SwitchType=switch/none
KillWait=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP MaxTime=INFINITE
"""


@contextlib.contextmanager
def running() -> Iterator[Path]:
    """Runs a cluster, and gives its configuration, for ``SLURM_CONF``."""
    # Not in pytest's folder: munged's socket is for everybody, and so are all folders above it.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _running(folder) as configuration:
            yield configuration


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[Path]:
    for name in ("state", "spool", "munge"):
        (folder / name).mkdir()
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            host=socket.gethostname(),
            user=getpass.getuser(),
            controller=free_port(),
            node=free_port(),
            folder=folder,
        )
    )
    with contextlib.ExitStack() as daemons:
        daemons.enter_context(_munge(folder / "munge"))
        for name in ("slurmctld", "slurmd"):
            daemons.enter_context(_daemon([name, "-D", "-f", str(configuration)], folder / f"{name}.log"))
        environment = {**os.environ, "SLURM_CONF": str(configuration)}

        def is_idle() -> bool:
            command = ["sinfo", "--noheader", "--format", "%t"]
            return subprocess.run(command, env=environment, capture_output=True, text=True).stdout.strip() == "idle"

        wait_until(is_idle, 60)
        yield configuration


@contextlib.contextmanager
def _munge(folder: Path) -> Iterator[None]:
    (folder / "key").write_bytes(os.urandom(1024))
    (folder / "key").chmod(0o400)
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    options = [f"--{option}={folder / name}" for option, name in files.items()]
    with _daemon(["munged", "--foreground", "--num-threads=2", *options], folder / "said"):
        wait_until((folder / "socket").exists, 60)
        yield


@contextlib.contextmanager
def _daemon(command: list[str], log: Path) -> Iterator[None]:
    # Debian has the daemons where only the superuser looks.
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
    with open(log, "wb") as said:
        daemon = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
    try:
        yield
    finally:
        daemon.terminate()
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
