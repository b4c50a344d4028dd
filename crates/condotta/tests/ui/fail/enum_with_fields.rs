use condotta::prelude::*;

#[derive(ParameterEnum)]
enum Source {
    Web,
    File(String),
}

fn main() {}
