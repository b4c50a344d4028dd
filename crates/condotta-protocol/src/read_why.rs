//! What holds a task up, found in steps.

use condotta_scheduler::{Now, Scheduler, WhyRead};
use serde_json::Value;

use crate::{
    arguments::Arguments, encode_why, error::RpcError, json_writer::write_json, long_read::LongRead,
};

struct WhyAnswer(WhyRead);

pub(crate) fn why(arguments: &mut Arguments) -> Result<Box<dyn LongRead>, RpcError> {
    let task_id = arguments.text("task_id")?;
    Ok(Box::new(WhyAnswer(WhyRead::new(task_id))))
}

impl LongRead for WhyAnswer {
    fn step(&mut self, scheduler: &Scheduler, now: Now, tasks: usize) -> bool {
        self.0.step(scheduler, now, tasks)
    }

    /// Null when nothing is known of the task.
    fn write(self: Box<Self>, out: &mut Vec<u8>) {
        let why = self.0.finish();
        write_json(out, &why.map_or(Value::Null, |why| encode_why::why(&why)));
    }
}
