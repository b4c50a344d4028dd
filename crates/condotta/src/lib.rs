//! Build pipelines of batch tasks: Luigi's model as a typed Rust DSL with Luigi's command line.

pub mod class;
