//! Lists of workers and resources with what runs, read in steps.

use std::{cmp::Reverse, collections::HashSet};

use condotta_scheduler::{
    Now, ResourceListRead, Scheduler, ShownWorker, Timestamp, WorkerListRead,
};
use serde_json::json;

use crate::{
    arguments::Arguments,
    encode_task::TaskJson,
    encode_worker,
    error::RpcError,
    json_writer::write_json,
    long_read::LongRead,
    texts::{Entries, Piece, Texts, separate},
};

struct WorkerList {
    read: WorkerListRead,
    include_running: bool,
    texts: Texts,
    found: Vec<(Reverse<Timestamp>, String, Piece)>,
}

pub(crate) fn worker_list(arguments: &mut Arguments) -> Result<Box<dyn LongRead>, RpcError> {
    Ok(Box::new(WorkerList {
        read: WorkerListRead::new(),
        include_running: arguments.flag("include_running", true)?,
        texts: Texts::default(),
        found: Vec::new(),
    }))
}

impl LongRead for WorkerList {
    fn step(&mut self, scheduler: &Scheduler, _: Now, tasks: usize) -> bool {
        let (texts, found) = (&mut self.texts, &mut self.found);
        let include_running = self.include_running;
        self.read.step(scheduler, tasks, &mut |worker| {
            let view = worker.view();
            let (started, name) = (Reverse(view.started), view.name.clone());
            let head = encode_worker::worker(view, include_running);
            let piece = texts.add(|out| {
                write_json(out, &head);
                if include_running {
                    write_load(out, worker);
                }
            });
            found.push((started, name, piece));
        })
    }

    /// The latest first.
    fn write(mut self: Box<Self>, out: &mut Vec<u8>) {
        self.found.sort_by_key(|found| found.0);
        let mut seen = HashSet::new();
        out.push(b'[');
        for (_, name, piece) in &self.found {
            if seen.insert(name) {
                separate(out, seen.len() - 1);
                out.extend_from_slice(self.texts.get(piece));
            }
        }
        out.push(b']');
    }
}

/// Adds what a worker has to do to the object that was just written, which is not empty.
fn write_load(out: &mut Vec<u8>, worker: ShownWorker<'_>) {
    let running = worker.running();
    let (num_pending, num_uniques) = worker.pending();
    let counts = [
        ("num_running", running.len() as u64),
        ("num_pending", num_pending),
        ("num_uniques", num_uniques),
    ];
    out.pop();
    for (name, count) in counts {
        out.extend(format!(", \"{name}\": {count}").into_bytes());
    }
    out.extend(b", \"running\": {");
    for (index, task) in running.into_iter().enumerate() {
        separate(out, index);
        write_json(out, task.id());
        out.extend(b": ");
        write_json(out, &TaskJson::listed(task));
    }
    out.extend(b"}}");
}

struct ResourceList {
    read: ResourceListRead,
    running: Entries<Box<str>>,
}

pub(crate) fn resource_list(_arguments: &mut Arguments) -> Result<Box<dyn LongRead>, RpcError> {
    Ok(Box::new(ResourceList {
        read: ResourceListRead::new(),
        running: Entries::default(),
    }))
}

impl LongRead for ResourceList {
    fn step(&mut self, scheduler: &Scheduler, _: Now, tasks: usize) -> bool {
        let running = &mut self.running;
        self.read.step(scheduler, tasks, &mut |resource, task| {
            running.add_task(resource.into(), task);
        })
    }

    /// The resources that have a limit, by name.
    fn write(mut self: Box<Self>, out: &mut Vec<u8>) {
        self.running.sort();
        let mut groups = self.running.groups().peekable();
        out.push(b'[');
        for (index, total) in self.read.totals().iter().enumerate() {
            // What has no limit is not shown.
            while groups.next_if(|(name, _)| ***name < *total.name).is_some() {}
            let running = groups.next_if(|(name, _)| ***name == *total.name);
            let running = running.map_or(&[][..], |(_, running)| running);
            let head = json!({
                "name": total.name,
                "num_total": total.limit,
                "num_used": total.used,
                "num_consumer": running.len(),
            });
            separate(out, index);
            write_json(out, &head);
            out.pop();
            out.extend(b", \"running\": ");
            self.running.write(out, running);
            out.push(b'}');
        }
        out.push(b']');
    }
}
