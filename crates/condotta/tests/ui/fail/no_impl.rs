use condotta::prelude::*;

#[derive(Task)]
struct Report;

fn main() {}
