//! The durable state as its users see it: directories, records in and out, and what a crash, a
//! full disk or a flipped bit makes of them.

mod crash;
mod damage;
mod directory;
mod fixture;
mod living;
mod luigi;
mod records;
mod sample;
