use condotta::prelude::*;

#[derive(Task)]
struct Weather;

#[task]
impl Task for Weather {
    fn output(&self) -> LocalTarget {
        LocalTarget::new("weather.csv")
    }
}

#[derive(Task)]
struct Report;

#[task]
impl Task for Report {
    fn requires(&self) -> (Weather, Weather) {
        (Weather, Weather)
    }

    fn run(&self, run: &Run<Self>) -> Result<()> {
        let [first, second] = run.input();
        Ok(())
    }
}

fn main() {}
