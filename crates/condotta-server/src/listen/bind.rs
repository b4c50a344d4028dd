//! Opens the sockets on which the server listens.

use std::{
    fs, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs},
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use nix::sys::socket::{Backlog, listen};

use super::Tls;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// This machine only: 127.0.0.1 and, if the machine has it, `::1`.
    Loopback {
        /// The port, on both; 0 for any free one.
        port: u16,
    },
    /// All addresses that a name or IP address stands for; empty or `*` is every address of the machine.
    Tcp {
        /// Name or IP address.
        address: String,
        /// The port.
        port: u16,
    },
    /// A socket in the file system.
    Unix(PathBuf),
}

/// Why a place cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// A TCP address cannot be had.
    #[error("cannot listen on {address}: {source}{}", hint(source))]
    Tcp {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// A Unix socket cannot be had.
    #[error("cannot listen on the Unix socket {}: {source}", path.display())]
    Unix {
        /// The socket's file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server answers on the Unix socket.
    #[error("another server listens on the Unix socket {}: stop it, or choose another path", path.display())]
    InUse {
        /// The socket's file.
        path: PathBuf,
    },
    /// There is a file that is no socket.
    #[error("{} is there and is no socket: choose another path for the Unix socket, or remove it", path.display())]
    NoSocket {
        /// The file.
        path: PathBuf,
    },
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => " (does another scheduler run? else choose another port)",
        io::ErrorKind::AddrNotAvailable => " (this machine has no such address)",
        io::ErrorKind::PermissionDenied => " (ports below 1024 need privileges)",
        _ => "",
    }
}

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    file: Option<SocketFile>,
    tls: Option<Tls>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The same, known to the runtime.
pub(super) enum AsyncSocket {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Listener {
    /// The address, if it is a TCP one.
    #[must_use]
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().ok(),
            Socket::Unix(_) => None,
        }
    }

    /// The path, if it is a Unix socket.
    #[must_use]
    pub fn unix_path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// Whether connections are encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Encrypts connections from now on; those over a Unix socket leave no machine, and stay as they are.
    pub fn encrypt(&mut self, tls: &Tls) {
        if matches!(self.socket, Socket::Tcp(_)) {
            self.tls = Some(tls.clone());
        }
    }

    pub(super) fn into_socket(
        self,
    ) -> Result<(AsyncSocket, Option<Tls>, Option<SocketFile>), ListenError> {
        let wrong = |source| ListenError::Tcp {
            address: "a socket".to_owned(),
            source,
        };
        let socket = match self.socket {
            Socket::Tcp(listener) => {
                AsyncSocket::Tcp(tokio::net::TcpListener::from_std(listener).map_err(wrong)?)
            }
            Socket::Unix(listener) => {
                AsyncSocket::Unix(tokio::net::UnixListener::from_std(listener).map_err(wrong)?)
            }
        };
        Ok((socket, self.tls, self.file))
    }
}

/// Listens at all places, or at none. An address that another one of them covers is left out: whoever
/// listens on `0.0.0.0` is sent what goes to `127.0.0.1`.
///
/// # Errors
///
/// When one of them cannot be had.
pub fn bind(places: &[Place]) -> Result<Vec<Listener>, ListenError> {
    let mut listeners = Vec::new();
    let mut asked = Vec::new();
    for place in places {
        match place {
            Place::Loopback { port } => listeners.extend(bind_loopback(*port)?),
            Place::Tcp { address, port } => asked.extend(addresses(address, *port)?),
            Place::Unix(path) => listeners.push(bind_unix(path)?),
        }
    }
    // The widest first, so that what cannot be had beside them is known to be theirs.
    asked.sort_by_key(|asked| {
        let address = asked.address;
        (!address.ip().is_unspecified(), address.is_ipv4())
    });
    for asked in asked {
        match asked.bind() {
            Err(error) if is_covered(&error, asked.address, &listeners) => {}
            listener => listeners.push(listener?),
        }
    }
    Ok(listeners)
}

fn bind_loopback(port: u16) -> Result<Vec<Listener>, ListenError> {
    let first = bind_tcp((Ipv4Addr::LOCALHOST, port).into())?;
    let port_taken = first.tcp_address().map_or(port, |address| address.port());
    let second = bind_tcp((Ipv6Addr::LOCALHOST, port_taken).into());
    match second {
        Ok(second) => Ok(vec![first, second]),
        Err(ListenError::Tcp { source, .. }) if port == 0 || is_absent(&source) => Ok(vec![first]),
        Err(error) => Err(error),
    }
}

/// An address to listen on.
struct Asked {
    address: SocketAddr,
    /// Every address of the machine is meant; without IPv6 these are the IPv4 ones.
    everywhere: bool,
}

impl Asked {
    fn bind(&self) -> Result<Listener, ListenError> {
        match bind_tcp(self.address) {
            Err(ListenError::Tcp { source, .. }) if self.everywhere && is_absent(&source) => {
                bind_tcp((Ipv4Addr::UNSPECIFIED, self.address.port()).into())
            }
            listener => listener,
        }
    }
}

/// The addresses that a name stands for.
fn addresses(name: &str, port: u16) -> Result<Vec<Asked>, ListenError> {
    if name.is_empty() || name == "*" {
        // On Linux the IPv6 socket takes IPv4 connections too.
        return Ok(vec![Asked {
            address: (Ipv6Addr::UNSPECIFIED, port).into(),
            everywhere: true,
        }]);
    }
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let found = (bare, port)
        .to_socket_addrs()
        .map_err(|source| ListenError::Tcp {
            address: name.to_owned(),
            source,
        })?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    addresses.sort();
    addresses.dedup();
    let asked = addresses.into_iter().map(|address| Asked {
        address,
        everywhere: false,
    });
    Ok(asked.collect())
}

/// Whether `address` cannot be had because one of our own sockets takes what is sent to it. Another
/// program's would have kept that one from being opened.
fn is_covered(error: &ListenError, address: SocketAddr, listeners: &[Listener]) -> bool {
    let ListenError::Tcp { source, .. } = error else {
        return false;
    };
    let covers = |ours: SocketAddr| {
        let is_wide = ours.ip().is_unspecified() && (ours.is_ipv6() || address.is_ipv4());
        ours == address || (is_wide && ours.port() == address.port())
    };
    source.kind() == io::ErrorKind::AddrInUse
        && listeners
            .iter()
            .filter_map(Listener::tcp_address)
            .any(covers)
}

/// Whether the machine lacks IPv6 (or has it turned off).
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(nix::errno::Errno::EAFNOSUPPORT as i32)
}

fn bind_tcp(address: SocketAddr) -> Result<Listener, ListenError> {
    let open = || {
        let listener = TcpListener::bind(address)?;
        // The library's own queue is short for a fleet that comes back at once.
        listen(&listener, Backlog::MAXCONN)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    let listener = open().map_err(|source| ListenError::Tcp {
        address: address.to_string(),
        source,
    })?;
    Ok(Listener {
        socket: Socket::Tcp(listener),
        file: None,
        tls: None,
    })
}

fn bind_unix(path: &Path) -> Result<Listener, ListenError> {
    remove_stale(path)?;
    let open = || {
        let listener = UnixListener::bind(path)?;
        // As Luigi's: who may use it is decided by who may open the file, and that is its owner.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let inode = fs::symlink_metadata(path)?.ino();
        Ok((listener, inode))
    };
    let (listener, inode) = open().map_err(|source| ListenError::Unix {
        path: path.to_owned(),
        source,
    })?;
    Ok(Listener {
        socket: Socket::Unix(listener),
        file: Some(SocketFile {
            path: path.to_owned(),
            inode,
        }),
        tls: None,
    })
}

/// Removes the socket of a server that is gone; one that answers stays.
fn remove_stale(path: &Path) -> Result<(), ListenError> {
    let fail = |source| ListenError::Unix {
        path: path.to_owned(),
        source,
    };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fail(error)),
    };
    let path_owned = || path.to_owned();
    if !found.file_type().is_socket() {
        return Err(ListenError::NoSocket { path: path_owned() });
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(ListenError::InUse { path: path_owned() }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(fail)
        }
        // Its queue is full, so somebody listens.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(ListenError::InUse { path: path_owned() })
        }
        Err(error) => Err(fail(error)),
    }
}

/// Removes a Unix socket's file when it is dropped, unless another server has put its own there.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode);
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}
