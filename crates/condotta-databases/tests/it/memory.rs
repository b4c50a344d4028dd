//! Rows take the memory of a few of them, however many there are.

use condotta_databases::{Database, Type};
use condotta_targets::{LocalTarget, ReadWrite as _};

use condotta_test_servers::databases::Place;

use crate::{Case, child::Running};

pub(crate) const CASES: &[Case] = &[("a_million_rows_take_little_memory", a_million_rows)];

const ROWS: u32 = 1_000_000;
/// What a million of these rows take as text, at least.
const BYTES: u64 = 60 * ROWS as u64;
/// How much more memory it may be than before, in KiB.
const MOST_KIB: usize = 24 * 1024;

fn columns() -> [(&'static str, Type); 3] {
    [
        ("id", Type::Integer),
        ("place", Type::Text),
        ("amount", Type::Double),
    ]
}

/// In a child, for its peak to be its own: copies rows.
pub(crate) fn copy_a_million(url: &str, _: &str) {
    let database = Database::new(url).unwrap();
    database
        .table("few", "1")
        .copy(columns())
        .rows([(1, "few", 0.5)])
        .unwrap();
    let before = peak_kib();
    let place = "somewhere over the rainbow, where there is a lot of room";
    let rows = (0..ROWS).map(|id| (id, place, f64::from(id) * 0.5));
    database
        .table("many", "2")
        .copy(columns())
        .rows(rows)
        .unwrap();
    println!("GREW {}", grown_kib(before));
}

/// In a child: dumps them.
pub(crate) fn dump_a_million(url: &str, path: &str) {
    let database = Database::new(url).unwrap();
    let csv = LocalTarget::new(path).fsync(false);
    let parquet = LocalTarget::new(format!("{path}.parquet")).fsync(false);
    database.snapshot("few").csv(&csv).unwrap();
    database.snapshot("few").parquet(&parquet).unwrap();
    let before = peak_kib();
    assert_eq!(
        database.snapshot("many").csv(&csv).unwrap(),
        u64::from(ROWS)
    );
    println!("GREW {}", grown_kib(before));
    assert_eq!(
        database.snapshot("many").parquet(&parquet).unwrap(),
        u64::from(ROWS)
    );
    println!("GREW {}", grown_kib(before));
}

fn a_million_rows(place: &Place) {
    let path = place.folder.path().join("many.csv");
    let grew = |child: &mut Running| child.wait_for("GREW ").parse::<usize>().unwrap();
    let mut child = Running::start("copy a million", &place.url, "");
    let copied = grew(&mut child);
    assert!(copied < MOST_KIB, "copying took {copied} KiB");

    let mut child = Running::start("dump a million", &place.url, path.to_str().unwrap());
    let dumped = grew(&mut child);
    assert!(dumped < MOST_KIB, "dumping took {dumped} KiB");
    let dump = LocalTarget::new(&path);
    let length = std::fs::metadata(&path).unwrap().len();
    assert!(length > BYTES, "{length} bytes");
    assert_eq!(dump.lines().unwrap().count(), 1 + ROWS as usize);
    // A group of rows is kept until it is written.
    let dumped = grew(&mut child);
    assert!(
        dumped < 2 * MOST_KIB,
        "dumping to Parquet took {dumped} KiB"
    );
}

/// By how much the peak is higher now. The kernel counts in batches for each processor, so what it says of the same
/// peak may be a little less later.
fn grown_kib(before: usize) -> usize {
    peak_kib().saturating_sub(before)
}

/// The most memory that this process had.
fn peak_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
