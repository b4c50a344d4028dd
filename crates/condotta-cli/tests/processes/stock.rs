//! Where stock Luigi is.

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
