//! A real HDFS: Hadoop's name node and a data node, on loopback.
//!
//! It takes a while to start, so that tests share one. It ends when this process does, however that ends.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::free_port;

/// Starts both nodes, waits until its input ends, as it does with this process, and ends them.
const RUN: &str = r#"
cd "$1" || exit 1
shift
"$@" org.apache.hadoop.hdfs.server.namenode.NameNode -format -nonInteractive >format.log 2>&1 || exit 1
"$@" org.apache.hadoop.hdfs.server.namenode.NameNode >name-node.log 2>&1 &
nodes=$!
"$@" org.apache.hadoop.hdfs.server.datanode.DataNode >data-node.log 2>&1 &
nodes="$nodes $!"
cat >/dev/null
kill -9 $nodes
cd / && rm -rf "$OLDPWD"
"#;

/// Java 17 hides from programs what Hadoop 2 looks for.
const OPENED: [&str; 4] = ["java.lang", "java.nio", "java.util", "java.net"];

static SHARED: LazyLock<Hadoop> = LazyLock::new(Hadoop::start);

/// A running cluster of one.
pub struct Hadoop {
    /// Where clients of Hadoop's own protocol ask.
    pub port: u16,
    /// Where WebHDFS is.
    pub web_port: u16,
    runs: Option<Child>,
    folder: PathBuf,
}

impl Hadoop {
    /// The one that tests share, and a folder's name of one's own in it.
    pub fn shared() -> (&'static Self, String) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        (&SHARED, format!("folder {number} of a test"))
    }

    /// One that a test has for itself.
    pub fn start() -> Self {
        let jars = env::var("CONDOTTA_HADOOP");
        let jars = jars.expect("CONDOTTA_HADOOP has the jars: see cargo xtask test storage");
        let folder = tempfile::tempdir().unwrap().keep();
        let [port, web_port] = [free_port(), free_port()];
        configure(&folder, port, web_port);
        let mut command = Command::new("sh");
        command.args(["-c", RUN, "sh"]).arg(&folder).arg("java");
        for package in OPENED {
            command.args(["--add-opens", &format!("java.base/{package}=ALL-UNNAMED")]);
        }
        command
            .args(["-Xmx256m", "-cp", &format!(".:{jars}/*")])
            .stdin(Stdio::piped());
        let cluster = Self {
            port,
            web_port,
            runs: Some(command.spawn().unwrap()),
            folder,
        };
        cluster.wait_until_it_works();
        cluster
    }

    /// The user that everything belongs to: whoever started it.
    pub fn user() -> String {
        let user = nix::unistd::User::from_uid(nix::unistd::getuid());
        user.unwrap().unwrap().name
    }

    /// Makes a file, by its path, a little more than a week old.
    pub fn make_old(&self, path: &str) {
        let long_ago = SystemTime::now() - Duration::from_secs(8 * 24 * 60 * 60);
        let long_ago = long_ago.duration_since(UNIX_EPOCH).unwrap().as_millis();
        let place = format!(
            "/webhdfs/v1/{}?op=SETTIMES&modificationtime={long_ago}&user.name={}",
            path.replace(' ', "%20"),
            Self::user()
        );
        let mut connection = TcpStream::connect(("127.0.0.1", self.web_port)).unwrap();
        let request = format!(
            "PUT {place} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    fn wait_until_it_works(&self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        let log = |name| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        while !log("name-node.log").contains("registerDatanode") {
            assert!(
                Instant::now() < deadline,
                "{}\n{}",
                log("name-node.log"),
                log("data-node.log")
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(mut runs) = self.runs.take() {
            drop(runs.stdin.take());
            let _ = runs.wait();
        }
    }
}

impl Drop for Hadoop {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Writes the configuration, and what its web servers insist on having.
fn configure(folder: &Path, port: u16, web_port: u16) {
    let local = |port: u16| format!("127.0.0.1:{port}");
    let core = [
        ("fs.defaultFS", format!("hdfs://{}", local(port))),
        ("hadoop.tmp.dir", folder.join("data").display().to_string()),
    ];
    let hdfs = [
        ("dfs.namenode.http-address", local(web_port)),
        ("dfs.datanode.address", local(free_port())),
        ("dfs.datanode.http.address", local(free_port())),
        ("dfs.datanode.ipc.address", local(free_port())),
        ("dfs.datanode.hostname", "127.0.0.1".to_owned()),
        ("dfs.replication", "1".to_owned()),
        // Small, so that files have several.
        ("dfs.blocksize", (8 << 20).to_string()),
        ("dfs.webhdfs.enabled", "true".to_owned()),
    ];
    write_settings(&folder.join("core-site.xml"), &core);
    write_settings(&folder.join("hdfs-site.xml"), &hdfs);
    let log = "log4j.rootLogger=INFO,out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n\
        log4j.appender.out.layout=org.apache.log4j.SimpleLayout\n";
    fs::write(folder.join("log4j.properties"), log).unwrap();
    for pages in ["hdfs", "datanode"] {
        let pages = folder.join("webapps").join(pages).join("WEB-INF");
        fs::create_dir_all(&pages).unwrap();
        fs::write(pages.join("web.xml"), "<web-app/>").unwrap();
    }
    fs::create_dir_all(folder.join("webapps/static")).unwrap();
}

fn write_settings(path: &Path, settings: &[(&str, String)]) {
    let property = |(name, value): &(&str, String)| {
        format!("<property><name>{name}</name><value>{value}</value></property>")
    };
    let text: String = settings.iter().map(property).collect();
    fs::write(path, format!("<configuration>{text}</configuration>")).unwrap();
}
