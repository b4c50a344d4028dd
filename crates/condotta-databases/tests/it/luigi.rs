//! Stock Luigi's targets on the same marker table: what one marks, the other finds.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use condotta_targets::Target as _;

use condotta_test_servers::databases::{Kind, Place};

use crate::{Case, Contents as _};

pub(crate) const CASES: &[Case] = &[
    ("luigi_finds_our_markers", luigi_finds_ours),
    ("we_find_the_markers_of_luigi", we_find_luigis),
];

/// Stock Luigi's Python: the one that `CONDOTTA_STOCK_LUIGI` names, else that of the virtual environment
/// which `cargo xtask test` makes. Its folder `databases` has the drivers.
fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("CONDOTTA_STOCK_LUIGI") {
        return python.into();
    }
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    target.join("stock-luigi/bin/python")
}

/// Does something with stock Luigi's target of this update, and says whether that then exists.
#[track_caller]
fn luigi(place: &Place, action: &str, update_id: &str) -> bool {
    let python = python();
    let drivers = python.parent().unwrap().with_file_name("databases");
    assert!(
        python.is_file() && drivers.is_dir(),
        "{} or the drivers beside it are missing: `cargo xtask test databases` installs them",
        python.display()
    );
    let (address, database) = match place.kind {
        Kind::Sqlite => (place.url.trim_start_matches("sqlite:///"), ""),
        _ => place
            .url
            .rsplit_once('@')
            .unwrap()
            .1
            .split_once('/')
            .unwrap(),
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/with_luigi.py");
    let output = Command::new(python)
        .arg(script)
        .args([place.kind.name(), address, database, action, update_id])
        .env("PYTHONPATH", drivers)
        .current_dir(place.folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    match String::from_utf8(output.stdout).unwrap().trim() {
        "True" => true,
        "False" => false,
        other => panic!("{other}: {errors}"),
    }
}

fn luigi_finds_ours(place: &Place) {
    let database = place.database();
    database.table("rain", "Rain_1").touch().unwrap();
    database
        .table("rain", "Rain_2")
        .copy([("day", condotta_databases::Type::Integer)])
        .rows([[1]])
        .unwrap();
    assert!(luigi(place, "exists", "Rain_1"));
    assert!(luigi(place, "exists", "Rain_2"));
    assert!(!luigi(place, "exists", "Rain_3"));
    assert!(
        luigi(place, "touch", "Rain_3"),
        "it can write to the table that we made"
    );
    assert!(database.table("rain", "Rain_3").exists().unwrap());
}

fn we_find_luigis(place: &Place) {
    let database = place.database();
    assert!(luigi(place, "touch", "Rain_1"));
    assert!(database.table("rain", "Rain_1").exists().unwrap());
    assert!(!database.table("rain", "Rain_2").exists().unwrap());
    database.table("rain", "Rain_2").touch().unwrap();
    let rain_3 = database.table("rain", "Rain_3");
    rain_3
        .query("CREATE TABLE rain (day INTEGER)")
        .run()
        .unwrap();
    let markers = place.found("SELECT count(*) FROM table_updates WHERE inserted IS NOT NULL");
    assert_eq!(markers, ["3"]);
    assert!(luigi(place, "exists", "Rain_2"));
    assert!(luigi(place, "exists", "Rain_3"));
}
