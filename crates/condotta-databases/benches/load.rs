//! What it takes to load a table and to dump it, beside what the databases' own clients take for the same
//! rows in the same run: psql's `\copy`, MariaDB's `LOAD DATA LOCAL` and `SELECT`, and SQLite's own
//! statements.
//!
//! `cargo bench -p condotta-databases --features mysql,postgres,sqlite --bench load`; one database alone:
//! `-- postgresql`. Called as a test, it loads few rows.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufReader, BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use condotta_databases::{Database, Type};
use condotta_targets::LocalTarget;

use condotta_test_servers::databases::{self as servers, Kind, Server};

/// Each is done so often, in turns; the median counts.
const ROUNDS: usize = 3;

fn columns() -> [(&'static str, Type); 7] {
    [
        ("id", Type::Integer),
        ("station", Type::Text),
        ("day", Type::Date),
        ("at", Type::Timestamp),
        ("millimetres", Type::Double),
        ("wet", Type::Boolean),
        ("remark", Type::Text),
    ]
}

/// The same table, as the clients are to find it.
fn create(kind: Kind) -> &'static str {
    match kind {
        Kind::MariaDb => {
            "CREATE TABLE theirs (id BIGINT, station LONGTEXT, day DATE, at DATETIME(6),
             millimetres DOUBLE, wet BOOLEAN, remark LONGTEXT)
             CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ENGINE=InnoDB"
        }
        _ => {
            "CREATE TABLE theirs (id BIGINT, station TEXT, day DATE, at TIMESTAMP,
             millimetres DOUBLE PRECISION, wet BOOLEAN, remark TEXT)"
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let in_earnest = words.iter().any(|word| word == "--bench");
    let rows = if in_earnest { 1_000_000 } else { 2_000 };
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("rows.csv");
    write_rows(&csv, rows);
    println!(
        "{rows} rows, {} bytes of CSV; seconds, median of {ROUNDS}",
        fs::metadata(&csv).expect("it is there").len()
    );
    println!(
        "{:<11} {:<6} {:>8} {:>8} {:>6}",
        "database", "", "ours", "client", "ratio"
    );
    let wanted: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    for kind in [Kind::Postgres, Kind::MariaDb, Kind::Sqlite] {
        if wanted.is_empty() || wanted.iter().any(|word| *word == kind.name()) {
            measure(kind, &csv, folder.path(), rows);
        }
    }
}

/// The file that all load: some text in quotes, some NULLs.
fn write_rows(path: &Path, rows: u64) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let names: Vec<&str> = columns().iter().map(|(name, _)| *name).collect();
    writeln!(file, "{}", names.join(",")).expect("written");
    let mut line = String::new();
    for id in 0..rows {
        line.clear();
        let (day, hour) = (id / 24 % 28 + 1, id % 24);
        write!(line, "{id},station {},2026-11-{day:02},", id % 500).expect("memory");
        write!(line, "2026-11-{day:02} {hour:02}:00:00,").expect("memory");
        match id % 7 {
            0 => line.push(','),
            _ => write!(line, "{}.25,", id % 100).expect("memory"),
        }
        line.push_str(if id % 3 == 0 { "1," } else { "0," });
        line.push_str(match id % 5 {
            0 => "\"windy, with \"\"some\"\" sun\"",
            1 => "",
            _ => "nothing to be said",
        });
        writeln!(file, "{line}").expect("written");
    }
    file.into_inner().expect("written");
}

fn measure(kind: Kind, csv: &Path, folder: &Path, rows: u64) {
    let server = (kind != Kind::Sqlite).then(|| Server::start(kind));
    let sqlite = folder.join("bench.sqlite");
    let database = match &server {
        Some(server) => Database::new(&server.database("bench")).expect("a good URL"),
        None => Database::sqlite(&sqlite),
    };
    let client = Client {
        kind,
        server: server.as_ref(),
        sqlite: &sqlite,
    };
    let dump = folder.join("dump.csv");
    let (mut load, mut dumped) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for round in 0..ROUNDS {
        let _ = database.execute("DROP TABLE ours");
        let _ = database.execute("DROP TABLE theirs");
        load[0].push(seconds(|| {
            let target = database.table("ours", format!("round {round}"));
            let file = BufReader::with_capacity(64 * 1024, File::open(csv).expect("it is there"));
            let loaded = target.copy(columns()).csv(file).expect("it loads");
            assert_eq!(loaded, rows);
        }));
        database.execute(create(kind)).expect("it creates");
        load[1].push(seconds(|| client.load(csv)));
        dumped[0].push(seconds(|| {
            let target = LocalTarget::new(&dump);
            let dumped = database.snapshot("ours").csv(&target).expect("it dumps");
            assert_eq!(dumped, rows);
        }));
        assert!(fs::metadata(&dump).expect("it is there").len() > rows * 40);
        dumped[1].push(seconds(|| client.dump(&dump)));
        assert!(fs::metadata(&dump).expect("it is there").len() > rows * 40);
    }
    for (what, [ours, theirs]) in [("load", load), ("dump", dumped)] {
        let (ours, theirs) = (median(ours), median(theirs));
        println!(
            "{:<11} {what:<6} {ours:>8.2} {theirs:>8.2} {:>6.2}",
            kind.name(),
            theirs / ours
        );
    }
}

/// A database's own client.
struct Client<'a> {
    kind: Kind,
    server: Option<&'a Server>,
    sqlite: &'a Path,
}

impl Client<'_> {
    fn load(&self, csv: &Path) {
        let csv = csv.display();
        match self.kind {
            Kind::Postgres => {
                self.ask(&format!(
                    "\\copy theirs FROM '{csv}' WITH (FORMAT csv, HEADER)"
                ));
            }
            Kind::MariaDb => self.ask(&format!(
                "LOAD DATA LOCAL INFILE '{csv}' INTO TABLE theirs CHARACTER SET utf8mb4
                 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY ''
                 IGNORE 1 LINES (id, station, day, at, @millimetres, wet, @remark)
                 SET millimetres = NULLIF(@millimetres, ''), remark = NULLIF(@remark, '')"
            )),
            Kind::Sqlite => self.import(&format!(".import --csv --skip 1 {csv} theirs")),
        }
    }

    fn dump(&self, path: &Path) {
        let file = path.display();
        match self.kind {
            Kind::Postgres => {
                self.ask(&format!(
                    "\\copy theirs TO '{file}' WITH (FORMAT csv, HEADER)"
                ));
            }
            Kind::MariaDb => {
                let server = self.server.expect("it is one");
                let mut client = server.client_command(Some("bench"));
                // Row by row, as it comes; otherwise it collects all of them first.
                client.args(["--quick", "-e", "SELECT * FROM theirs"]);
                client.stdout(File::create(path).expect("a file"));
                assert!(client.status().expect("it is installed").success());
            }
            Kind::Sqlite => {
                self.import(&format!(
                    ".mode csv\n.headers on\n.output {file}\nSELECT * FROM theirs;"
                ));
            }
        }
    }

    fn ask(&self, sql: &str) {
        self.server.expect("it is one").ask(Some("bench"), sql);
    }

    /// Has SQLite's shell do it.
    fn import(&self, commands: &str) {
        let mut shell = Command::new(servers::program("sqlite3"))
            .arg(self.sqlite)
            .stdin(Stdio::piped())
            .spawn()
            .expect("it is installed");
        let mut input = shell.stdin.take().expect("piped");
        writeln!(input, "{commands}").expect("it reads");
        drop(input);
        assert!(shell.wait().expect("it ends").success());
    }
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
