use condotta::prelude::*;

#[derive(Task)]
struct Report;

#[task]
impl Task for Report {
    fn requires(&self) -> String {
        "Weather".to_owned()
    }
}

fn main() {}
