//! Where histories are kept in the tests: files, and real servers.

use std::path::PathBuf;

use condotta_history::Address;
use condotta_test_servers::databases;
pub(crate) use condotta_test_servers::databases::{Databases, Kind, PASSWORD, Server};

/// An empty place for a history.
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) address: Address,
    /// With the password.
    pub(crate) url: String,
    place: databases::Place,
}

impl Place {
    /// A new one, on a server that others use, too.
    pub(crate) fn new(databases: &Databases, kind: Kind) -> Self {
        let place = databases.place(kind);
        Self {
            kind,
            address: Address::parse(&place.url).expect("it is a good URL"),
            url: place.url.clone(),
            place,
        }
    }

    /// The file, where it is one.
    pub(crate) fn file(&self) -> PathBuf {
        self.place.file()
    }
}

/// A database of its own.
pub(crate) fn database(server: &Server, name: &str) -> Address {
    Address::parse(&server.database(name)).expect("it is a good URL")
}
