//! Luigi's remote procedure calls as JSON, to and from the scheduler's own types.
//!
//! [`read_json`] reads the arguments of a request in the dialect that stock workers write, and
//! [`dispatch`] puts the request to a scheduler and gives the reply in Luigi's shape, which
//! [`write_json`] writes as Luigi's server does. How requests arrive (HTTP, a Python call) is
//! nobody's business here.

mod arguments;
mod await_work;
mod call_extension;
mod call_operator;
mod call_view;
mod call_worker;
pub mod client;
mod convert;
mod decode_task;
mod decode_view;
mod decode_worker;
mod dispatch;
mod encode_task;
mod encode_why;
mod encode_work;
mod encode_worker;
mod error;
mod json;
mod json_reader;
mod json_writer;
mod log_frame;
mod long_read;
mod methods;
mod read_tasks;
mod read_why;
mod read_workers;
mod role;
mod texts;

pub use await_work::{AWAIT_WORK, await_work};
pub use dispatch::dispatch;
pub use encode_task::task_value;
pub use error::RpcError;
pub use json::{Json, Object};
pub use json_reader::{JsonError, MAX_NESTING, read_json};
pub use json_writer::write_json;
pub use log_frame::{LOG_FRAME_BYTES_MAX, LogFrame, LogSource};
pub use long_read::{LongRead, long_read};
pub use methods::{extensions, methods, needed_role, only_reads};
pub use role::{Role, UnknownRole};
