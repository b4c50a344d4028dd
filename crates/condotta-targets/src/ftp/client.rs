//! Connections to one server. Each is used by one call at a time and kept for the next.

use std::{
    io,
    net::{TcpStream, ToSocketAddrs},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use suppaftp::{FtpError, Mode, RustlsConnector, RustlsFtpStream, Status, types::FileType};

use crate::{
    location::Secret,
    remote::{
        retry::{passes, retried},
        tls,
    },
};

/// How long an answer, or a piece of content, may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
const CONNECTING: Duration = Duration::from_secs(20);

/// Where a server is and who logs in.
pub(super) struct Login {
    /// With the port.
    pub(super) address: String,
    /// As certificates have it.
    pub(super) name: String,
    pub(super) user: String,
    pub(super) password: Secret,
    pub(super) encrypted: bool,
}

/// A connection after its login.
pub(super) struct Connection {
    pub(super) ftp: RustlsFtpStream,
    /// Where the login leads to.
    home: String,
    /// Whether the server lists in a form that is made for programs.
    pub(super) lists_facts: bool,
}

impl Connection {
    /// A URL's path from the server's root.
    pub(super) fn path(&self, path: &str) -> String {
        match path {
            "" => self.home.clone(),
            path if path.starts_with('/') => path.to_owned(),
            path => format!("{}/{path}", self.home.trim_end_matches('/')),
        }
    }
}

/// The connections that nobody uses at the moment.
pub(super) struct Client {
    login: Login,
    /// The server, as people may see it.
    place: String,
    idle: Mutex<Vec<Connection>>,
}

impl Client {
    pub(super) fn new(login: Login, place: String) -> Self {
        let idle = Mutex::default();
        Self { login, place, idle }
    }

    /// Asks the server, again if the connection breaks.
    pub(super) fn ask<T>(
        &self,
        question: impl Fn(&mut Connection) -> Result<T, FtpError>,
    ) -> io::Result<T> {
        let (connection, answer) = self.take(question)?;
        self.give_back(connection);
        Ok(answer)
    }

    /// The same, for an answer that needs the connection for longer.
    pub(super) fn take<T>(
        &self,
        question: impl Fn(&mut Connection) -> Result<T, FtpError>,
    ) -> io::Result<(Connection, T)> {
        retried(&self.place, || {
            let mut connection = self.connection()?;
            match question(&mut connection).map_err(explained) {
                Ok(answer) => Ok((connection, answer)),
                Err(error) if passes(&error) => {
                    // The others are as old.
                    self.idle().clear();
                    Err(error)
                }
                Err(error) => {
                    self.give_back(connection);
                    Err(error)
                }
            }
        })
    }

    pub(super) fn give_back(&self, connection: Connection) {
        const KEPT: usize = 4;
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(connection);
        }
    }

    fn connection(&self) -> io::Result<Connection> {
        let kept = self.idle().pop();
        match kept {
            Some(connection) => Ok(connection),
            None => connect(&self.login),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(login: &Login) -> io::Result<Connection> {
    let mut ftp = RustlsFtpStream::connect_with_stream(dial(&login.address)?).map_err(explained)?;
    if login.encrypted {
        let connector = RustlsConnector::from(tls::config()?);
        ftp = ftp.into_secure(connector, &login.name).map_err(explained)?;
    }
    let greet = |ftp: &mut RustlsFtpStream| {
        ftp.login(login.user.as_str(), login.password.reveal())?;
        ftp.transfer_type(FileType::Binary)?;
        // Servers that do not know these are asked in the old way.
        let features = ftp.feat().unwrap_or_default();
        if features.contains_key("UTF8") {
            let _ = ftp.opts("UTF8", Some("ON"));
        }
        Ok((features.contains_key("MLST"), ftp.pwd()?))
    };
    ftp.set_mode(Mode::ExtendedPassive);
    let (lists_facts, home) = greet(&mut ftp).map_err(explained)?;
    Ok(Connection {
        ftp,
        home,
        lists_facts,
    })
}

/// A connection to one of the addresses that a name has.
fn dial(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::other(format!("{address} is no address"));
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECTING) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What the client says in the words of I/O.
pub(super) fn explained(error: FtpError) -> io::Error {
    let kind = match &error {
        FtpError::ConnectionError(source) => match source.kind() {
            // What a read with a time limit says when the time is over.
            io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut,
            io::ErrorKind::Other => io::ErrorKind::ConnectionReset,
            kind => kind,
        },
        FtpError::UnexpectedResponse(response) => match response.status {
            Status::NotLoggedIn | Status::InvalidCredentials => io::ErrorKind::PermissionDenied,
            Status::NotAvailable | Status::CannotOpenDataConnection | Status::TransferAborted => {
                io::ErrorKind::ConnectionAborted
            }
            Status::ExceededStorage => io::ErrorKind::StorageFull,
            _ => io::ErrorKind::Other,
        },
        FtpError::BadResponse => io::ErrorKind::ConnectionReset,
        _ => io::ErrorKind::Other,
    };
    let text = match &error {
        FtpError::ConnectionError(source) => format!("the connection is broken: {source}"),
        FtpError::UnexpectedResponse(response) => {
            let said = String::from_utf8_lossy(&response.body);
            format!("the server says: {}", said.trim())
        }
        error => error.to_string(),
    };
    match kind {
        io::ErrorKind::PermissionDenied => {
            let advice = "the login comes from the URL, from FtpFileSystem::login, or from username and password in the section [ftp]";
            io::Error::new(kind, format!("{text}; {advice}"))
        }
        kind => io::Error::new(kind, text),
    }
}
