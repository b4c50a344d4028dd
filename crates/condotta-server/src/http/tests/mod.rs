//! Requests over real sockets, and what is answered.

mod access;
mod bodies;
mod calls;
mod guards;
mod pages;
