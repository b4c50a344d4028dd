use condotta::prelude::*;

#[derive(Task)]
struct Report;

#[task(external)]
impl Task for Report {
    fn run(&self, run: &Run<Self>) -> Result<()> {
        Ok(())
    }
}

fn main() {}
