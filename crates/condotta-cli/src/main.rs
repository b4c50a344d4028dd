//! The command `condotta`.

fn main() {}
