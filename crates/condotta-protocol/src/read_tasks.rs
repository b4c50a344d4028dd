//! Lists and graphs of tasks, read in steps.
//!
//! What is found becomes text at once: a text is smaller than a view, and sorting pieces of text
//! is all that is left to do elsewhere.

use condotta_scheduler::{
    GraphRead, NodeKind, Now, Scheduler, Status, TaskListRead, TaskSearchRead,
};
use serde_json::json;

use crate::{
    arguments::Arguments,
    decode_view,
    encode_task::{self, TaskJson},
    error::RpcError,
    json_writer::write_json,
    long_read::LongRead,
    texts::{Entries, separate},
};

/// A read that has begun.
type Begun = Result<Box<dyn LongRead>, RpcError>;

struct TaskList {
    read: TaskListRead,
    found: Entries<()>,
}

pub(crate) fn task_list(arguments: &mut Arguments) -> Begun {
    Ok(Box::new(TaskList {
        read: TaskListRead::new(decode_view::task_list(arguments)?),
        found: Entries::default(),
    }))
}

impl LongRead for TaskList {
    fn step(&mut self, scheduler: &Scheduler, _: Now, tasks: usize) -> bool {
        let found = &mut self.found;
        self.read
            .step(scheduler, tasks, &mut |task| found.add_task((), task))
    }

    fn write(mut self: Box<Self>, out: &mut Vec<u8>) {
        if let Some(count) = self.read.too_many() {
            let count = count.map_or(json!(-1), |count| json!(count));
            return write_json(out, &json!({ "num_tasks": count }));
        }
        self.found.sort();
        self.found.write_all(out);
    }
}

struct TaskSearch {
    read: TaskSearchRead,
    found: Entries<Status>,
}

pub(crate) fn task_search(arguments: &mut Arguments) -> Begun {
    Ok(Box::new(TaskSearch {
        read: TaskSearchRead::new(arguments.text("task_str")?),
        found: Entries::default(),
    }))
}

impl LongRead for TaskSearch {
    fn step(&mut self, scheduler: &Scheduler, _: Now, tasks: usize) -> bool {
        let found = &mut self.found;
        self.read.step(scheduler, tasks, &mut |task| {
            found.add_task(task.status(), task)
        })
    }

    /// Only statuses that occur.
    fn write(mut self: Box<Self>, out: &mut Vec<u8>) {
        self.found.keep_last();
        self.found.sort();
        out.push(b'{');
        for (index, (status, tasks)) in self.found.groups().enumerate() {
            separate(out, index);
            write_json(out, status.name());
            out.extend(b": ");
            self.found.write(out, tasks);
        }
        out.push(b'}');
    }
}

struct Graph {
    read: GraphRead,
    found: Entries<()>,
}

fn begin(read: GraphRead) -> Box<dyn LongRead> {
    Box::new(Graph {
        read,
        found: Entries::default(),
    })
}

pub(crate) fn graph(_arguments: &mut Arguments) -> Begun {
    Ok(begin(GraphRead::all()))
}

pub(crate) fn dep_graph(arguments: &mut Arguments) -> Begun {
    let (task_id, include_done) = graph_arguments(arguments)?;
    Ok(begin(GraphRead::from(task_id, include_done)))
}

pub(crate) fn inverse_dep_graph(arguments: &mut Arguments) -> Begun {
    let (task_id, include_done) = graph_arguments(arguments)?;
    Ok(begin(GraphRead::inverse_from(task_id, include_done)))
}

fn graph_arguments(arguments: &mut Arguments) -> Result<(String, bool), RpcError> {
    Ok((
        arguments.text("task_id")?,
        arguments.flag("include_done", true)?,
    ))
}

impl LongRead for Graph {
    /// As in Luigi, only the roots of the walk have their display name.
    fn step(&mut self, scheduler: &Scheduler, _: Now, tasks: usize) -> bool {
        let found = &mut self.found;
        self.read.step(scheduler, tasks, &mut |node| {
            found.add((), node.id, |out| match &node.kind {
                NodeKind::Task { task, next } => {
                    write_json(out, &TaskJson::node(*task, node.is_root, next));
                }
                NodeKind::Placeholder { family } => {
                    let placeholder = encode_task::placeholder(node.id, family, node.is_root);
                    write_json(out, &placeholder);
                }
            });
        })
    }

    /// In the order of the walk.
    fn write(mut self: Box<Self>, out: &mut Vec<u8>) {
        self.found.keep_last();
        self.found.write_all(out);
    }
}
