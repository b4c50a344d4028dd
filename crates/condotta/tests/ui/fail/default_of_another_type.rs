use condotta::prelude::*;

#[derive(Task)]
struct Report {
    #[param(default = 3.5)]
    copies: u8,
}

#[task]
impl Task for Report {}

fn main() {}
