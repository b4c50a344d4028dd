//! The accounts of a cluster: slurmdbd on loopback, with a MariaDB of its own.

use std::{fs, os::unix::fs::OpenOptionsExt as _, path::Path, process::Command};

use super::{Cluster, run};
use crate::databases::{Kind, PASSWORD, Server, USER};

/// Where a cluster's accounts are kept.
#[derive(Debug)]
pub(super) struct Accounts {
    database: Server,
    port: u16,
}

impl Accounts {
    pub(super) fn new(port: u16) -> Self {
        let database = Server::start(Kind::MariaDb);
        let url = database.database("slurm_acct");
        assert!(url.contains(USER), "slurmdbd makes its tables as this user");
        Self { database, port }
    }

    /// What a cluster's configuration says of them.
    pub(super) fn as_configured(&self, munge: &Path) -> String {
        format!(
            "AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageHost=127.0.0.1\n\
             AccountingStoragePort={}\nAccountingStoragePass={}\n\
             JobAcctGatherType=jobacct_gather/linux\nJobAcctGatherFrequency=task=1\n",
            self.port,
            munge.display(),
        )
    }

    /// Starts slurmdbd, and enters the cluster.
    pub(super) fn open(&self, cluster: &mut Cluster, host: &str, user: &str) {
        let path = |name: &str| cluster.path(name).display().to_string();
        // It binds to its host's address alone if it is told so.
        let text = format!(
            "AuthType=auth/munge\nAuthInfo=socket={}\nDbdHost={host}\nDbdAddr=127.0.0.1\nDbdPort={}\n\
             CommunicationParameters=NoInAddrAny\nSlurmUser={user}\nPidFile={}\nLogFile={}\n\
             StorageType=accounting_storage/mysql\nStorageHost=127.0.0.1\nStoragePort={}\n\
             StorageUser={USER}\nStoragePass={PASSWORD}\nStorageLoc=slurm_acct\n",
            path("munge/socket"),
            self.port,
            path("slurmdbd.pid"),
            path("slurmdbd.log"),
            self.database.port,
        );
        let configuration = cluster.path("slurmdbd.conf");
        let mut options = fs::OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&configuration);
        std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
        // It looks for its file beside the cluster's.
        cluster.start_daemon("slurmdbd", &["-D"]);
        cluster.wait_until("slurmdbd listens", || {
            std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        run(Command::new("sacctmgr")
            .args(["--immediate", "--quiet", "add", "cluster", "test"])
            .env("SLURM_CONF", cluster.configuration())
            .stdout(std::process::Stdio::null()));
    }
}
