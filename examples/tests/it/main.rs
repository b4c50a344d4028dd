//! Runs the examples as a reader would, each in an empty folder of its own, and looks at what they
//! leave and say.

mod hello_world;
mod leaving;
mod legacy_tool;
mod make_like;
mod parent_child;
mod program;
mod server;
mod two_crates;
mod two_shells;
mod weather;
