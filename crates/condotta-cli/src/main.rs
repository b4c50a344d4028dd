//! The command `condotta`.

use std::process::ExitCode;

fn main() -> ExitCode {
    condotta_cli::main()
}
