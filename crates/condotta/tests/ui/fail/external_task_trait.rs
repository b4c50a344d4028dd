use condotta::prelude::*;

#[derive(Task)]
struct Report;

#[task]
impl ExternalTask for Report {}

fn main() {}
