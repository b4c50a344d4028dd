//! The pipeline over a store, with PostgreSQL at both ends, and with Spark for the filter where it is worth the wait.

use std::{
    fs,
    path::{Path, PathBuf},
};

use condotta::{
    database::Database,
    target::{HdfsFileSystem, ReadWrite as _},
};
use condotta_test_servers::{
    databases::{Kind, PASSWORD, Server},
    stores::{ftp, hadoop, s3, ssh},
};

use crate::{
    installed_spark::Spark,
    on_postgres::result,
    program::{Program, Ran, assert_counts},
};

/// What is in a storage, as seen past the pipeline.
trait Kept {
    fn names(&self) -> Vec<String>;
    fn text(&self, name: &str) -> String;
    fn remove(&self, name: &str);
}

/// A server that keeps its files in a folder of this machine.
impl Kept for PathBuf {
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.join(name)).unwrap()
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.join(name)).unwrap();
    }
}

/// A folder in HDFS.
struct InHdfs(HdfsFileSystem, String);

impl InHdfs {
    fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.1)
    }
}

impl Kept for InHdfs {
    fn names(&self) -> Vec<String> {
        let files = self.0.list(&self.1).unwrap();
        let name = |url: String| Path::new(&url).file_name().unwrap().to_owned();
        files
            .iter()
            .map(|file| name(file.url()).into_string().unwrap())
            .collect()
    }

    fn text(&self, name: &str) -> String {
        self.0.target(self.url(name)).read_to_string().unwrap()
    }

    fn remove(&self, name: &str) {
        self.0.remove(self.url(name)).unwrap();
    }
}

/// Runs the pipeline with a storage, and again with nothing but files. `settings` has what leads to the storage.
fn same_as_in_files(storage: &str, settings: &str, kept: &dyn Kept, filter_with: &str) {
    let in_files = Program::example("weather");
    let plain = in_files.run(&[]);
    assert_counts(&plain, 0, 5);

    let postgres = Server::start(Kind::Postgres);
    let spark = (filter_with == "spark").then(Spark::find);
    let url = postgres.database("weather");
    let without_password = url.replace(&format!(":{PASSWORD}@"), "@");
    let program = Program::example("weather");
    let of_spark = spark.as_ref().map(Spark::settings).unwrap_or_default();
    fs::write(program.path("luigi.cfg"), format!("{of_spark}{settings}")).unwrap();
    let arguments = [
        "IngestToDatabase",
        &format!("--Weather-database-url={without_password}"),
        &format!("--storage={storage}"),
        &format!("--filter-with={filter_with}"),
        "--workers=2",
    ];
    let run = || {
        let mut command = program.command(&arguments);
        if let Some(spark) = &spark {
            spark.set_environment(&mut command);
        }
        Ran::from(command.env("PGPASSWORD", PASSWORD).output().unwrap())
    };
    let ran = run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_counts(&ran, 0, 5);
    assert_eq!(
        ran.stderr.contains("/filter.py "),
        spark.is_some(),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stdout, plain.stdout, "people see the same table");
    for secret in [PASSWORD, s3::SECRET, ftp::PASSWORD] {
        assert!(!ran.stderr.contains(secret), "{}", ran.stderr);
    }

    // All files are in the store, and no other is.
    let mut names = kept.names();
    names.sort();
    let files = [
        "monthly.csv",
        "ranked.csv",
        "report.csv",
        "temperatures.csv",
    ];
    assert_eq!(names, files);
    for file in files {
        assert!(
            kept.text(file) == in_files.read(&format!("target/weather/{file}")),
            "{file} is the same"
        );
    }
    assert!(
        !program.path("target").exists(),
        "nothing is beside the program"
    );
    let database = Database::new(&url).unwrap();
    let file = in_files.path("target/weather/warehouse.sqlite");
    assert_eq!(result(&database), result(&Database::sqlite(file)));

    // What is in the store is found there.
    assert_counts(&run(), 1, 0);
    database.execute("DELETE FROM table_updates").unwrap();
    kept.remove("ranked.csv");
    assert_counts(&run(), 1, 2);
    assert_eq!(result(&database).lines().count(), 49);
}

#[test]
fn weather_in_s3() {
    let server = s3::S3Server::start();
    let settings = format!(
        "[s3]\naws_access_key_id = {}\naws_secret_access_key = {}\nendpoint_url = {}\n",
        s3::ID,
        s3::SECRET,
        server.endpoint()
    );
    let storage = format!("s3://{}/weather of a year/", s3::BUCKET);
    same_as_in_files(
        &storage,
        &settings,
        &server.files().join("weather of a year"),
        "spark",
    );
}

#[test]
fn weather_over_sftp() {
    let server = ssh::SshServer::start();
    let settings = format!("[sftp]\nconfig_file = {}\n", server.config().display());
    let folder = server.files().join("weather of a year");
    let storage = format!("sftp://127.0.0.1:{}{}", server.port, folder.display());
    same_as_in_files(&storage, &settings, &folder, "spark");
}

#[test]
fn weather_over_ftp() {
    let server = ftp::FtpServer::pyftpdlib();
    let settings = format!(
        "[ftp]\nusername = {}\npassword = {}\n",
        ftp::USER,
        ftp::PASSWORD
    );
    let storage = format!("ftp://127.0.0.1:{}/weather of a year", server.port);
    let folder = server.files().join("weather of a year");
    same_as_in_files(&storage, &settings, &folder, "rust");
}

/// Written over HTTP, and read as Hadoop's own clients do.
#[test]
fn weather_in_hdfs() {
    let hadoop = hadoop::Hadoop::start();
    let user = hadoop::Hadoop::user();
    let settings = format!("[webhdfs]\nuser = {user}\n");
    let storage = format!("webhdfs://127.0.0.1:{}/user/weather", hadoop.web_port);
    let folder = format!("hdfs://127.0.0.1:{}/user/weather", hadoop.port);
    let kept = InHdfs(HdfsFileSystem::new().user(user), folder);
    same_as_in_files(&storage, &settings, &kept, "rust");
}
