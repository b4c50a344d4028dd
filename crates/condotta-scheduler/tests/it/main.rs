//! Random lists of requests, with every index recounted after each and every choice compared with a
//! naive one.

mod model;
mod random;
mod reports;
mod step;
