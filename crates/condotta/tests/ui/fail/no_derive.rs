use condotta::prelude::*;

struct Report;

#[task]
impl Task for Report {}

fn main() {}
