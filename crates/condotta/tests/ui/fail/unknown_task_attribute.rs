use condotta::prelude::*;

#[derive(Task)]
struct Report;

#[task(externl)]
impl Task for Report {}

fn main() {}
