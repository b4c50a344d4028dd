use condotta::prelude::*;

#[derive(Task)]
struct Report;

#[task]
impl Task for Report {
    fn ouput(&self) -> LocalTarget {
        LocalTarget::new("report.txt")
    }
}

fn main() {}
