//! Rows take the memory of a few of them, however many there are.

use condotta_databases::{Database, Type};
use condotta_targets::{LocalTarget, ReadWrite as _};

use condotta_test_servers::{child::Running, databases::Place, life::Peak};

use crate::{Case, child};

pub(crate) const CASES: &[Case] = &[("a_million_rows_take_little_memory", a_million_rows)];

const ROWS: u32 = 1_000_000;
/// What a million of these rows take as text, at least.
const BYTES: u64 = 60 * ROWS as u64;
/// How much more memory it may be than before, in KiB.
const MOST_KIB: u64 = 24 * 1024;

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
    let peak = Peak::now();
    let place = "somewhere over the rainbow, where there is a lot of room";
    let rows = (0..ROWS).map(|id| (id, place, f64::from(id) * 0.5));
    database
        .table("many", "2")
        .copy(columns())
        .rows(rows)
        .unwrap();
    println!("GREW {}", peak.growth_kib());
}

/// In a child: dumps them.
pub(crate) fn dump_a_million(url: &str, path: &str) {
    let database = Database::new(url).unwrap();
    let csv = LocalTarget::new(path).fsync(false);
    let parquet = LocalTarget::new(format!("{path}.parquet")).fsync(false);
    database.snapshot("few").csv(&csv).unwrap();
    database.snapshot("few").parquet(&parquet).unwrap();
    let peak = Peak::now();
    assert_eq!(
        database.snapshot("many").csv(&csv).unwrap(),
        u64::from(ROWS)
    );
    println!("GREW {}", peak.growth_kib());
    assert_eq!(
        database.snapshot("many").parquet(&parquet).unwrap(),
        u64::from(ROWS)
    );
    println!("GREW {}", peak.growth_kib());
}

fn a_million_rows(place: &Place) {
    let path = place.folder.path().join("many.csv");
    let grew = |child: &mut Running| child.wait_for("GREW ").parse::<u64>().unwrap();
    let mut child = child::start("copy a million", &place.url, "");
    let copied = grew(&mut child);
    assert!(copied < MOST_KIB, "copying took {copied} KiB");

    let mut child = child::start("dump a million", &place.url, path.to_str().unwrap());
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
