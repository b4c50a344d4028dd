use condotta::prelude::*;

struct Colour(u8, u8, u8);

#[derive(Task)]
struct Paint {
    colour: Colour,
}

#[task]
impl Task for Paint {}

fn main() {}
