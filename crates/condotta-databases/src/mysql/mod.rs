//! MySQL and MariaDB: rows go in with inserts of many at a time, and out as a stream.
//!
//! `LOAD DATA LOCAL` would be quicker, but it takes what does not fit for something else (text is cut,
//! double keys are left out, and only warnings say so), and MySQL 8 refuses it unless its
//! administrator allows it.

mod read;
mod write;

use std::str::FromStr as _;

use sqlx::{
    ConnectOptions as _, Error, MySqlConnection,
    mysql::{MySqlConnectOptions, MySqlDatabaseError},
};

use crate::{
    Database, column,
    connection::Connection,
    copy::{Counted, Load},
    database::Kind,
    error::Fault,
    name::Name,
    server::{Server, find, insert, reason},
    snapshot::Sink,
    target::Marker,
};

/// The server's number: there is no such table.
const NO_SUCH_TABLE: u16 = 1146;
/// The server's number: the key is there already.
const DUPLICATE_ENTRY: u16 = 1062;

/// What each session is told: what does not fit is an error, whichever kind the table is of.
const GREETING: &str = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')";

/// A connection to MySQL or MariaDB.
pub(crate) struct MySqlDatabase {
    server: Server<MySqlConnection>,
}

impl MySqlDatabase {
    pub(crate) fn open(database: &Database) -> Result<Self, Fault> {
        let connect = || async {
            let mut options = MySqlConnectOptions::from_str(&database.url)?;
            let authority = database.url.split('@').next().unwrap_or_default();
            let has_password = authority.matches(':').count() > 1;
            if let (false, Ok(password)) = (has_password, std::env::var("MYSQL_PWD")) {
                options = options.password(&password);
            }
            options.disable_statement_logging().connect().await
        };
        let mut server = Server::open(database, connect)?;
        server.run(GREETING).map_err(fault)?;
        Ok(Self { server })
    }

    fn run(&mut self, statements: &str) -> Result<u64, Fault> {
        self.server.run(statements).map_err(fault)
    }

    /// Does something in a transaction, which is taken back where it fails.
    fn transaction<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        // Not `START TRANSACTION`: a statement that defines something ends the transaction, and what
        // comes then is to be in one, too.
        self.run("SET autocommit = 0")?;
        let changed = change(self).and_then(|value| {
            self.run("COMMIT")?;
            Ok(value)
        });
        if changed.is_err() {
            // Where even that fails, the connection is lost, which takes it back as well.
            let _ = self.run("ROLLBACK");
        }
        changed
    }

    /// Makes the marker table, if it is not there. That ends transactions, so it comes before them.
    fn create_marker_table(&mut self, markers: &Name) -> Result<(), Fault> {
        if self.has_table(markers)? {
            return Ok(());
        }
        let markers = markers.quoted(Kind::MySql);
        self.run(&format!(
            "CREATE TABLE IF NOT EXISTS {markers} (id BIGINT(20) NOT NULL AUTO_INCREMENT, \
             update_id VARCHAR(128) NOT NULL, target_table VARCHAR(128), \
             inserted TIMESTAMP DEFAULT NOW(), PRIMARY KEY (update_id), KEY id (id)) ENGINE=InnoDB"
        ))
        .map(drop)
    }

    /// The same for the table of the rows.
    fn create_table(&mut self, table: &Name, load: &Load) -> Result<(), Fault> {
        if self.has_table(table)? {
            return Ok(());
        }
        let table = table.quoted(Kind::MySql);
        let create = column::create_table(&table, &load.columns, Kind::MySql);
        let create = create.replacen("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1);
        self.run(&create).map(drop)
    }

    fn insert_marker(&mut self, marker: &Marker<'_>) -> Result<(), Fault> {
        match self.server.run(&insert(marker, Kind::MySql)) {
            Err(error) if is(&error, DUPLICATE_ENTRY) => Err(Fault::Marked),
            inserted => inserted.map(drop).map_err(fault),
        }
    }
}

impl Connection for MySqlDatabase {
    fn has_table(&mut self, table: &Name) -> Result<bool, Fault> {
        let query = format!("SELECT 1 FROM {} LIMIT 0", table.quoted(Kind::MySql));
        match self.server.finds(&query) {
            Err(error) if is(&error, NO_SUCH_TABLE) => Ok(false),
            found => found.map(|_| true).map_err(fault),
        }
    }

    fn is_marked(&mut self, marker: &Marker<'_>) -> Result<bool, Fault> {
        let query = find(marker, Kind::MySql);
        match self.server.finds(&query) {
            Err(error) if is(&error, NO_SUCH_TABLE) => Ok(false),
            found => found.map_err(fault),
        }
    }

    fn touch(&mut self, marker: &Marker<'_>) -> Result<(), Fault> {
        self.create_marker_table(marker.markers)?;
        let insert = insert(marker, Kind::MySql);
        self.run(&format!(
            "{insert} ON DUPLICATE KEY UPDATE update_id = update_id"
        ))
        .map(drop)
    }

    fn copy(&mut self, marker: &Marker<'_>, load: &Load, rows: Counted<'_>) -> Result<u64, Fault> {
        if let Some(statement) = load.after.iter().find(|statement| defines(statement)) {
            let problem = format!("`{statement}` would commit the rows before the marker is there");
            return Err(Fault::refused(problem));
        }
        self.create_marker_table(marker.markers)?;
        self.create_table(&marker.table, load)?;
        self.transaction(|connection| {
            for statement in &load.before {
                connection.run(statement)?;
            }
            let count = write::copy(&mut connection.server, &marker.table, &load.columns, rows)?;
            for statement in &load.after {
                connection.run(statement)?;
            }
            connection.insert_marker(marker)?;
            Ok(count)
        })
    }

    fn query(
        &mut self,
        statements: &str,
        marker: Option<&Marker<'_>>,
        autocommit: bool,
    ) -> Result<u64, Fault> {
        if let Some(marker) = marker {
            self.create_marker_table(marker.markers)?;
        }
        let query = |connection: &mut Self| {
            let count = connection.run(statements)?;
            marker.map_or(Ok(()), |marker| connection.insert_marker(marker))?;
            Ok(count)
        };
        match autocommit {
            true => query(self),
            false => self.transaction(query),
        }
    }

    fn read(&mut self, query: &str, sink: &mut dyn Sink) -> Result<u64, Fault> {
        self.run(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
             START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        )?;
        read::read(&mut self.server, query, sink)
    }
}

/// Whether a statement defines something, which MySQL commits at once.
fn defines(statement: &str) -> bool {
    const WORDS: [&str; 6] = ["alter", "create", "drop", "grant", "rename", "truncate"];
    let word = statement.split_whitespace().next().unwrap_or_default();
    WORDS.contains(&word.to_lowercase().as_str())
}

/// Whether it is a refusal of this kind.
fn is(error: &Error, number: u16) -> bool {
    refusal(error).is_some_and(|refusal| refusal.number() == number)
}

fn refusal(error: &Error) -> Option<&MySqlDatabaseError> {
    error
        .as_database_error()?
        .try_downcast_ref::<MySqlDatabaseError>()
}

fn fault(error: Error) -> Fault {
    Fault::refused(reason(error))
}
