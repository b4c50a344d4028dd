//! Where stock Luigi is, nginx, and what bends clocks.

use std::path::{Path, PathBuf};

/// The Python that has stock Luigi: the one that `CONDOTTA_STOCK_LUIGI` names, else that of the
/// virtual environment which `cargo xtask test` makes.
pub(crate) fn stock_python() -> Option<PathBuf> {
    if let Some(python) = std::env::var_os("CONDOTTA_STOCK_LUIGI") {
        let python = PathBuf::from(python);
        assert!(
            python.is_file(),
            "CONDOTTA_STOCK_LUIGI names {}, which is not there",
            python.display()
        );
        return Some(python);
    }
    let program = Path::new(env!("CARGO_BIN_EXE_condotta"));
    let target = program.ancestors().nth(2).expect("profiles are in it");
    let python = target.join("stock-luigi/bin/python");
    python.is_file().then_some(python)
}

/// The folder of what stock workers need for Unix sockets, beside that Python.
pub(crate) fn unix_sockets() -> Option<PathBuf> {
    let folder = stock_python()?.parent()?.with_file_name("unix-sockets");
    folder.is_dir().then_some(folder)
}

/// Nginx: the one that `CONDOTTA_NGINX` names, else the machine's, else that which `cargo xtask
/// test` unpacks.
pub(crate) fn nginx() -> Option<PathBuf> {
    if let Some(program) = std::env::var_os("CONDOTTA_NGINX") {
        return Some(program.into());
    }
    let program = Path::new(env!("CARGO_BIN_EXE_condotta"));
    let target = program.ancestors().nth(2).expect("profiles are in it");
    let places = [
        "/usr/sbin/nginx".into(),
        target.join("nginx/usr/sbin/nginx"),
    ];
    places.into_iter().find(|place| place.is_file())
}

/// The library that bends a program's clock: the one that `CONDOTTA_FAKETIME` names, else the
/// machine's, else that which `cargo xtask test` unpacks.
pub(crate) fn faketime() -> Option<PathBuf> {
    if let Some(library) = std::env::var_os("CONDOTTA_FAKETIME") {
        return Some(library.into());
    }
    let program = Path::new(env!("CARGO_BIN_EXE_condotta"));
    let target = program.ancestors().nth(2).expect("profiles are in it");
    let folders = ["/usr/lib".into(), target.join("libfaketime/usr/lib")];
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let mut places = folders
        .iter()
        .map(|folder| folder.join(&triple).join("faketime/libfaketime.so.1"));
    places.find(|place| place.is_file())
}
