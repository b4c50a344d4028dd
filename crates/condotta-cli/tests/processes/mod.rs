//! Real processes in folders of their own: servers, workers, and requests to them.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses its part of this"
)]

mod place;
mod rpc;
mod server;
mod stock;

pub(crate) use condotta_test_servers::wait_until;

pub(crate) use self::{
    place::{Ended, Place, Process},
    rpc::Rpc,
    server::{Kind, Server, free_port},
    stock::{faketime, nginx, stock_python, unix_sockets},
};
