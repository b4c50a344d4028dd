//! A standalone Spark cluster on loopback: a master and a worker, from the package pyspark.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Starting a Java machine takes long where many want the processor.
const PATIENCE: Duration = Duration::from_secs(400);

/// The daemons, until it is dropped.
pub(crate) struct Cluster {
    folder: TempDir,
    port: u16,
    page: u16,
    daemons: Vec<Child>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let [port, page] = free_ports();
        let mut cluster = Self {
            folder: tempfile::tempdir().unwrap(),
            port,
            page,
            daemons: Vec::new(),
        };
        cluster.daemon(
            "org.apache.spark.deploy.master.Master",
            &[
                "--port",
                &port.to_string(),
                "--webui-port",
                &page.to_string(),
            ],
        );
        wait_until("the master answers", || cluster.try_ask().is_some());
        let master = cluster.url();
        let work = cluster.folder.path().join("work").display().to_string();
        cluster.daemon(
            "org.apache.spark.deploy.worker.Worker",
            &[
                "--cores",
                "2",
                "--memory",
                "1g",
                "--work-dir",
                &work,
                &master,
            ],
        );
        wait_until("it has a worker", || {
            cluster.ask().contains("\"aliveworkers\" : 1")
        });
        cluster
    }

    /// For `--master`.
    pub(crate) fn url(&self) -> String {
        format!("spark://127.0.0.1:{}", self.port)
    }

    /// What the master knows, as JSON.
    pub(crate) fn ask(&self) -> String {
        self.try_ask().unwrap()
    }

    fn try_ask(&self) -> Option<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.page)).ok()?;
        let request = "GET /json/ HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n";
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.contains("\"status\" : \"ALIVE\"").then_some(answer)
    }

    fn daemon(&mut self, class: &str, arguments: &[&str]) {
        let log = self.folder.path().join(class);
        let daemon = Command::new(home().join("bin/spark-class"))
            .args([class, "--host", "127.0.0.1"])
            .args(arguments)
            .env("SPARK_LOCAL_IP", "127.0.0.1")
            .env("SPARK_HOME", home())
            .stdout(Stdio::null())
            .stderr(fs::File::create(log).unwrap())
            .spawn();
        self.daemons.push(daemon.unwrap());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            // It ends its executors when it is asked; killed, it would leave them.
            Command::new("kill")
                .arg(daemon.id().to_string())
                .status()
                .unwrap();
            let _ = daemon.wait();
        }
    }
}

/// The Python that has pyspark.
pub(crate) fn python() -> PathBuf {
    let python = std::env::var_os("CONDOTTA_SPARK_PYTHON");
    let python = python.expect(
        "CONDOTTA_SPARK_PYTHON names a Python with pyspark; `cargo xtask test spark` has one",
    );
    python.into()
}

/// Where pyspark is.
pub(crate) fn home() -> PathBuf {
    let python = python();
    let library = python.parent().and_then(Path::parent).unwrap().join("lib");
    let versions = fs::read_dir(&library).unwrap().flatten();
    let homes = versions.map(|version| version.path().join("site-packages/pyspark"));
    let mut homes = homes.filter(|home| home.is_dir());
    homes.next().expect("the Python has the package pyspark")
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn free_ports() -> [u16; 2] {
    let bound = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    bound.map(|listener| listener.local_addr().unwrap().port())
}
