//! A Slurm cluster of one node, on loopback and ports of its own: munged, slurmctld and
//! slurmd, and, if it is to keep accounts, slurmdbd.

#![expect(
    clippy::unwrap_used,
    reason = "whatever goes wrong fails a test, by panicking"
)]

mod accounts;

use std::{
    env, fs,
    io::Read as _,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use self::accounts::Accounts;

/// Set for a program that was started within a cluster.
const INSIDE: &str = "TEST_INSIDE_SLURM";

/// Whether this program was started within a cluster, by [`Cluster::run_this`].
#[must_use]
pub fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// The state of a job, as the cluster says it within which this program was started.
#[must_use]
pub fn state(job: &str) -> String {
    let squeue = Command::new("squeue")
        .args(["--noheader", "--states", "all", "--format", "%T"])
        .args(["--jobs", job])
        .output()
        .unwrap();
    String::from_utf8(squeue.stdout).unwrap().trim().to_owned()
}

/// The daemons, until it is dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    /// Of the controller, of the node, and of those who keep accounts.
    ports: [u16; 3],
    accounts: Option<Accounts>,
    others: Vec<Child>,
}

impl Cluster {
    /// One that keeps no accounts.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(|_| None)
    }

    /// One that knows afterwards what jobs took.
    #[must_use]
    pub fn with_accounts() -> Self {
        Self::start_with(|port| Some(Accounts::new(port)))
    }

    fn start_with(accounts: impl Fn(u16) -> Option<Accounts>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut cluster = Self {
            folder,
            ports: free_ports(),
            accounts: None,
            others: Vec::new(),
        };
        cluster.accounts = accounts(cluster.ports[2]);
        for name in ["state", "spool", "munge"] {
            fs::create_dir(cluster.path(name)).unwrap();
        }
        // Whoever submits a job lets the daemon of another user look into its folders.
        run(Command::new("chmod").arg("755").arg(cluster.folder.path()));
        fs::write(cluster.configuration(), cluster.as_configured()).unwrap();
        cluster.start_munge();
        if let Some(accounts) = cluster.accounts.take() {
            accounts.open(&mut cluster, host().trim(), &user());
            cluster.accounts = Some(accounts);
        }
        let configuration = cluster.configuration().display().to_string();
        for name in ["slurmctld", "slurmd"] {
            cluster.start_daemon(name, &["-D", "-f", &configuration]);
        }
        cluster.wait_until("its node is idle", || {
            cluster
                .ask("sinfo", &["--noheader", "--format", "%t"])
                .trim()
                == "idle"
        });
        cluster
    }

    /// Runs this program once more, with its arguments, within the cluster, and says how it ended: Slurm's client
    /// programs find the cluster by an environment variable, which a process cannot set for itself safely.
    #[must_use]
    pub fn run_this(self) -> ExitCode {
        let status = Command::new(env::current_exe().unwrap())
            .args(env::args_os().skip(1))
            .env("SLURM_CONF", self.configuration())
            .env(INSIDE, "1")
            .status();
        match status.unwrap().success() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }

    /// For `SLURM_CONF`.
    fn configuration(&self) -> PathBuf {
        self.path("slurm.conf")
    }

    fn start_daemon(&mut self, name: &str, arguments: &[&str]) {
        let daemon = Command::new(name)
            .args(arguments)
            .env("SLURM_CONF", self.configuration())
            .stdout(Stdio::null())
            .stderr(self.log(name))
            .spawn();
        self.others.push(daemon.unwrap());
    }

    fn start_munge(&mut self) {
        let folder = self.path("munge");
        let mut key = [0; 1024];
        let mut random = fs::File::open("/dev/urandom").unwrap();
        random.read_exact(&mut key).unwrap();
        fs::write(folder.join("key"), key).unwrap();
        run(Command::new("chmod").arg("400").arg(folder.join("key")));
        let mut munged = Command::new("munged");
        munged.args(["--foreground", "--num-threads=2"]);
        for (option, name) in [
            ("key-file", "key"),
            ("socket", "socket"),
            ("pid-file", "pid"),
            ("log-file", "log"),
            ("seed-file", "seed"),
        ] {
            munged.arg(format!("--{option}={}", folder.join(name).display()));
        }
        munged.stdout(Stdio::null()).stderr(self.log("munged"));
        self.others.push(munged.spawn().unwrap());
        self.wait_until("munged has its socket", || folder.join("socket").exists());
    }

    fn as_configured(&self) -> String {
        let host = host();
        let (host, [controller, node, _]) = (host.trim(), self.ports);
        let no_accounts = || {
            "AccountingStorageType=accounting_storage/none\nJobAcctGatherType=jobacct_gather/none\n"
                .to_owned()
        };
        let munge = self.path("munge/socket");
        let accounts = self.accounts.as_ref();
        let accounts = accounts.map_or_else(no_accounts, |accounts| accounts.as_configured(&munge));
        let user = user();
        let path = |name: &str| self.path(name).display().to_string();
        format!(
            "ClusterName=test\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser={user}\nSlurmdUser={user}\n\
             SlurmctldPort={controller}\nSlurmdPort={node}\n\
             AuthType=auth/munge\nAuthInfo=socket={}\n\
             StateSaveLocation={}\nSlurmdSpoolDir={}\nSlurmctldPidFile={}\nSlurmdPidFile={}\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSelectType=select/cons_tres\n\
             ReturnToService=2\nSlurmdParameters=config_overrides\nMpiDefault=none\nSwitchType=switch/none\nMinJobAge=300\nKillWait=2\n\
             {accounts}CommunicationParameters=NoInAddrAny,NoCtldInAddrAny\n\
             SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=1000 State=UNKNOWN\n\
             PartitionName=all Nodes=ALL Default=YES State=UP MaxTime=INFINITE\n",
            path("munge/socket"),
            path("state"),
            path("spool"),
            path("slurmctld.pid"),
            path("slurmd.pid"),
        )
    }

    /// What a command of Slurm answers; nothing if it fails.
    fn ask(&self, command: &str, arguments: &[&str]) -> String {
        let output = Command::new(command)
            .args(arguments)
            .env("SLURM_CONF", self.configuration())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self, name: &str) -> fs::File {
        fs::File::create(self.path(&format!("{name}.log"))).unwrap()
    }

    #[track_caller]
    fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(
                Instant::now() < deadline,
                "waited in vain until {what}: {}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn said(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.path(&format!("{name}.log")));
        let logs = ["munged", "slurmdbd", "slurmctld", "slurmd"]
            .map(|name| read(name).unwrap_or_default());
        logs.join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in self.others.iter_mut().rev() {
            terminate(daemon);
        }
    }
}

fn terminate(daemon: &mut Child) {
    run(Command::new("kill").arg(daemon.id().to_string()));
    let deadline = Instant::now() + Duration::from_secs(10);
    while daemon.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            daemon.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap()
}

fn user() -> String {
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    String::from_utf8(user).unwrap().trim().to_owned()
}

fn free_ports() -> [u16; 3] {
    let bound = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    bound.map(|listener| listener.local_addr().unwrap().port())
}
