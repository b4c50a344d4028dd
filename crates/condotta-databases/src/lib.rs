//! Tables as targets: loaded with their marker in one transaction, and dumped to storage, for
//! PostgreSQL, MySQL or MariaDB, and SQLite.
//!
//! A [`Database`] gives [`TableTarget`]s, each an update of a table which exists once Luigi's marker
//! table has its row, and [`Snapshot`]s. Each database has its feature: `postgres`, `mysql`, `sqlite`;
//! `parquet` is one more way to write snapshots. Everything blocks until it is done. Knows nothing of
//! tasks.
//!
//! ```
//! # #[cfg(feature = "sqlite")] {
//! use condotta_databases::{Database, Type};
//! use condotta_targets::{LocalTarget, ReadWrite, Target};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let warehouse = Database::sqlite(folder.join("warehouse.sqlite"));
//! let update = warehouse.table("rain", "Rain_2026_11");
//! assert!(!update.exists()?);
//!
//! update
//!     .copy([("month", Type::Text), ("millimetres", Type::Double)])
//!     .rows([("2026-10", 98.5), ("2026-11", 131.0)])?;
//! assert!(update.exists()?);
//!
//! let dump = LocalTarget::new(folder.join("rain.csv"));
//! warehouse.snapshot("rain").csv(&dump)?;
//! assert_eq!(dump.read_to_string()?, "month,millimetres\n2026-10,98.5\n2026-11,131.0\n");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(
    not(all(feature = "mysql", feature = "postgres", feature = "sqlite")),
    allow(dead_code, reason = "what one database needs, another may not")
)]

mod calendar;
mod column;
mod connection;
mod copy;
mod database;
mod delimited;
mod error;
#[cfg(feature = "mysql")]
mod mysql;
mod name;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod server;
mod snapshot;
#[cfg(feature = "sqlite")]
mod sqlite;
mod target;
mod text;
mod value;

pub use column::{Column, Type};
pub use copy::CopyToTable;
pub use database::Database;
pub use delimited::Delimited;
pub use error::{BadUrl, DatabaseError};
pub use query::Query;
pub use snapshot::Snapshot;
pub use target::TableTarget;
pub use value::{Row, ToValue, Value};
