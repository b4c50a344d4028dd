//! What holds a task up that waits for very many others, found in steps between which things change.

use condotta_scheduler::{Hold, Now, Status, WhyRead};

use crate::why::Stage;

#[test]
fn one_failure_among_very_many_dependencies_is_found() {
    let mut stage = Stage::new();
    let deps: Vec<String> = (0..100_000).map(|at| format!("D{at}")).collect();
    for dep in &deps {
        stage.task(0.0, "x", dep, &[]);
    }
    stage.report(1.0, "x", "D77777", Status::Failed);
    let deps: Vec<&str> = deps.iter().map(String::as_str).collect();
    stage.task(2.0, "x", "top", &deps);
    let text = stage
        .0
        .why(Now::at(3.0), "top")
        .unwrap()
        .text(|at| format!("{}s", at.0));
    assert_eq!(
        text,
        "top waits for its 100000 dependencies. D77777 failed at 1s (1 failure), and is tried \
         again at 901s. Besides, it waits for 99999 tasks that are ready, such as D0."
    );
}

/// A task `top` that waits for so many others, which are ready.
fn fan(width: usize) -> Stage {
    let mut stage = Stage::new();
    let deps: Vec<String> = (0..width).map(|at| format!("D{at}")).collect();
    for dep in &deps {
        stage.task(0.0, "x", dep, &[]);
    }
    let deps: Vec<&str> = deps.iter().map(String::as_str).collect();
    stage.task(0.0, "x", "top", &deps);
    stage
}

#[test]
fn a_step_looks_at_few_tasks_however_many_there_are() {
    let mut stage = fan(50_000);
    // Between two steps something happens, and the answer has it.
    let mut read = WhyRead::new("top".to_owned());
    let mut steps = 1;
    while !read.step(&stage.0, Now::at(1.0), 10) {
        steps += 1;
        if steps == 100 {
            stage.report(1.0, "x", "D49999", Status::Failed);
        }
    }
    // They are looked at twice, and a look costs a sixteenth of what it costs to show a task.
    assert!((600..700).contains(&steps), "{steps}");
    let text = read.finish().unwrap().text(|at| format!("{}s", at.0));
    assert_eq!(
        text,
        "top waits for its 50000 dependencies. D49999 failed at 1s (1 failure), and is tried again at 901s. \
         Besides, it waits for 49999 tasks that are ready, such as D0."
    );
}

#[test]
fn what_was_found_and_has_gone_is_not_told() {
    let mut stage = fan(1000);
    let mut read = WhyRead::new("top".to_owned());
    for _ in 0..5 {
        assert!(!read.step(&stage.0, Now::at(1.0), 2));
    }
    // All that was found by then ends.
    for at in 0..500 {
        stage.report(1.0, "x", &format!("D{at}"), Status::Done);
    }
    while !read.step(&stage.0, Now::at(1.0), 2) {}
    let why = read.finish().unwrap();
    let Hold::Dependencies(waiting) = &why.hold else {
        panic!("it waits: {why:?}");
    };
    assert_eq!((waiting.unmet, waiting.causes.len()), (500, 1));
    assert_eq!(waiting.causes[0].path.tasks[0].task_id, "D500");
    // And what the task itself waited for.
    let mut read = WhyRead::new("top".to_owned());
    assert!(!read.step(&stage.0, Now::at(1.0), 2));
    for at in 500..1000 {
        stage.report(2.0, "x", &format!("D{at}"), Status::Done);
    }
    while !read.step(&stage.0, Now::at(2.0), 2) {}
    assert!(matches!(read.finish().unwrap().hold, Hold::Ready { .. }));
}

#[test]
fn rings_of_any_size_are_found_from_their_side() {
    let mut stage = Stage::new();
    let size = 20_000;
    for at in 0..size {
        let dep = format!("R{}", (at + 1) % size);
        stage.task(0.0, "x", &format!("R{at}"), &[&dep]);
    }
    stage.task(0.0, "x", "above", &["R7000"]);
    let causes = stage.causes(1.0, "above");
    let Hold::Cycle { path } = &causes[0].hold else {
        panic!("it is a ring: {causes:?}");
    };
    assert_eq!(path.tasks[0].task_id, "R7000");
    assert_eq!((path.tasks.len(), path.omitted), (16, size + 1 - 16));
}

#[test]
fn rows_of_any_length_are_answered_within_bounds() {
    let mut stage = Stage::new();
    let tasks = 130_000;
    for at in 0..tasks {
        let dep = format!("T{}", at + 1);
        let task = format!("T{at}");
        if at + 1 < tasks {
            stage.task(0.0, "x", &task, &[&dep]);
        } else {
            stage.task(0.0, "x", &task, &[]);
        }
    }
    let Hold::Dependencies(far) = stage.hold(1.0, "T0") else {
        panic!("it waits");
    };
    assert!(
        !far.is_exact && far.causes.is_empty(),
        "the end is too far away"
    );
    stage.says(
        1.0,
        "T0",
        "T0 waits for its only dependency. What these wait for is too far away to be looked at.",
    );
    let causes = stage.causes(1.0, "T129900");
    let path = &causes[0].path;
    assert_eq!((path.tasks.len(), path.omitted), (16, 83));
    assert_eq!(path.tasks[8].task_id, "T129992");
    let text = stage
        .0
        .why(Now::at(1.0), "T129900")
        .unwrap()
        .text(|at| at.0.to_string());
    assert!(text.contains("T129908 -> (83 more) -> T129992"), "{text}");
}
