use condotta::prelude::*;

#[derive(Task)]
struct Report(String);

fn main() {}
