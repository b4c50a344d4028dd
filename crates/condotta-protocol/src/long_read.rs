//! Reads that take long, in steps.

use condotta_scheduler::{Now, Scheduler};

use crate::{
    arguments::Arguments, dispatch::Reply, error::RpcError, json::Object, read_tasks, read_why,
    read_workers,
};

/// A read of many tasks. It looks at them in steps, between which other requests are answered.
///
/// What is there all the time is seen, each task once at most and as it was when it was looked at.
pub trait LongRead: Send {
    /// Looks at about so many more tasks. Whether it has seen all that it wants to see.
    ///
    /// A task that names very many workers or dependencies counts for several, and is looked at in
    /// one piece.
    fn step(&mut self, scheduler: &Scheduler, now: Now, tasks: usize) -> bool;

    /// Writes what was seen as JSON at the end of `out`. It needs no scheduler, but may take long.
    fn write(self: Box<Self>, out: &mut Vec<u8>);
}

/// Begins a read.
type Begin = fn(&mut Arguments) -> Result<Box<dyn LongRead>, RpcError>;

/// The methods whose answers may be long.
const READS: [(&str, Begin); 8] = [
    ("dep_graph", read_tasks::dep_graph),
    ("graph", read_tasks::graph),
    ("inverse_dep_graph", read_tasks::inverse_dep_graph),
    ("resource_list", read_workers::resource_list),
    ("task_list", read_tasks::task_list),
    ("task_search", read_tasks::task_search),
    ("why", read_why::why),
    ("worker_list", read_workers::worker_list),
];

/// The read that a method stands for, if its answer may be long.
///
/// The method also prunes first: that is left to the caller, who has the scheduler.
pub fn long_read(method: &str, arguments: &Object) -> Option<Result<Box<dyn LongRead>, RpcError>> {
    let (name, begin) = READS.iter().find(|(name, _)| *name == method)?;
    Some(begin(&mut Arguments::new(name, arguments.clone())))
}

/// Prunes as Luigi does, and reads all in one step.
pub(crate) fn at_once(
    scheduler: &mut Scheduler,
    now: Now,
    arguments: &mut Arguments,
    begin: Begin,
) -> Reply {
    let mut read = begin(arguments)?;
    scheduler.prune(now);
    while !read.step(scheduler, now, usize::MAX) {}
    let mut text = Vec::new();
    read.write(&mut text);
    Ok(serde_json::from_slice(&text).expect("it was written as JSON"))
}
