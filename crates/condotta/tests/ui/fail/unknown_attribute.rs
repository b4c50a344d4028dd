use condotta::prelude::*;

#[derive(Task)]
struct Report {
    #[param(defualt = 3)]
    copies: u8,
}

#[task]
impl Task for Report {}

fn main() {}
