//! The command `condotta`.

use std::process::ExitCode;

/// Most of what the server's threads take, others give back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    condotta_cli::main()
}
