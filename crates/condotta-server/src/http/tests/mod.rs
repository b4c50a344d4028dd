//! Requests over real sockets, and what is answered.

mod bodies;
mod calls;
mod guards;
mod pages;
