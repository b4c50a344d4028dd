//! Reads that take long, in steps.

use condotta_scheduler::Scheduler;

use crate::{error::RpcError, json::Object};

/// A read of many tasks. It looks at them in steps, between which other requests are answered.
pub trait LongRead: Send {
    /// Looks at about so many more tasks. Whether it has seen all that it wants to see.
    fn step(&mut self, scheduler: &Scheduler, tasks: usize) -> bool;

    /// Writes what was seen as JSON at the end of `out`. It needs no scheduler, but may take long.
    fn write(self: Box<Self>, out: &mut Vec<u8>);
}

/// The read that a method stands for, if its answer may be long.
pub fn long_read(
    _method: &str,
    _arguments: &Object,
) -> Option<Result<Box<dyn LongRead>, RpcError>> {
    None
}
