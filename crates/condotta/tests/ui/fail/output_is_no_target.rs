use condotta::prelude::*;

#[derive(Task)]
struct Report;

#[task]
impl Task for Report {
    fn output(&self) -> Vec<&'static str> {
        vec!["report.txt"]
    }
}

fn main() {}
