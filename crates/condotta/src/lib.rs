//! Build pipelines of batch tasks: Luigi's model as a typed Rust DSL with Luigi's command line.

pub mod class;
pub mod parameter;
pub mod registry;
pub mod settings;
pub mod task_id;
