//! What a task costs before anything runs: to build it with its id, to ask what it requires and
//! whether it is complete.

use condotta::{prelude::*, target::MemoryTarget};
use condotta_worker::TaskHandle;
use divan::Bencher;

fn main() {
    divan::main();
}

#[derive(Task)]
struct One {
    number: u64,
}

#[task]
impl Task for One {
    fn output(&self) -> MemoryTarget {
        MemoryTarget::new("one")
    }
}

#[derive(Task)]
struct Three {
    day: Date,
    name: String,
    number: u64,
}

#[task]
impl Task for Three {
    fn requires(&self) -> [One; 2] {
        [self.number, self.number + 1].map(|number| One { number })
    }
}

fn three() -> Three {
    Three {
        day: Date::constant(2013, 7, 10),
        name: "weather".to_owned(),
        number: 7,
    }
}

#[divan::bench]
fn build_with_one_parameter(bencher: Bencher<'_, '_>) {
    bencher.bench(|| {
        TaskHandle::from(AnyTask::new(One {
            number: divan::black_box(7),
        }))
    });
}

#[divan::bench]
fn build_with_three_parameters(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(three)
        .bench_values(|task| TaskHandle::from(AnyTask::new(task)));
}

#[divan::bench]
fn two_dependencies(bencher: Bencher<'_, '_>) {
    let task = TaskHandle::from(AnyTask::new(three()));
    bencher.bench(|| task.dependencies().expect("there is no error"));
}

#[divan::bench]
fn completeness(bencher: Bencher<'_, '_>) {
    let task = TaskHandle::from(AnyTask::new(One { number: 7 }));
    bencher.bench(|| task.complete().expect("memory can be asked"));
}

#[divan::bench]
fn parameters_as_texts(bencher: Bencher<'_, '_>) {
    let task = TaskHandle::from(AnyTask::new(three()));
    bencher.bench(|| task.params());
}
