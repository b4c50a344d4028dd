//! Where the server listens: on this machine, unless somebody takes the responsibility.

use std::net::{SocketAddr, ToSocketAddrs as _};

use condotta_server::listen::{Listener, Place};

use crate::{
    arguments::SchedulerArguments,
    error::{Failure, Kind},
};

/// The places that the command line names.
///
/// Other hosts can reach some addresses, and the server cannot tell who is who: such an address
/// needs a word that this is meant.
pub(crate) fn places(arguments: &SchedulerArguments) -> Result<Vec<Place>, Failure> {
    let port = arguments.port;
    let mut places = Vec::new();
    for address in &arguments.address {
        if !arguments.no_authentication && !is_local(address, port)? {
            let text = format!(
                "--address {address} lets other hosts in, and this version asks nobody who they are: \
                 add --no-authentication if whoever reaches the server may do everything"
            );
            return Err(Failure::new(Kind::Usage, text));
        }
        let address = address.clone();
        places.push(Place::Tcp { address, port });
    }
    if let Some(path) = &arguments.unix_socket {
        places.push(Place::Unix(path.clone()));
    }
    if places.is_empty() {
        places.push(Place::Loopback { port });
    }
    Ok(places)
}

/// Whether only this machine reaches all that `address` stands for.
fn is_local(address: &str, port: u16) -> Result<bool, Failure> {
    // The listener's words for every address of the machine.
    if ["", "*"].contains(&address) {
        return Ok(false);
    }
    let found = (address, port).to_socket_addrs().map_err(|error| {
        let text = format!("--address {address} is no address of this machine: {error}");
        Failure::new(Kind::Usage, text)
    })?;
    Ok(found.into_iter().all(|found| is_loopback(&found)))
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// The first line that a server says: where it listens, for whom, and how to change that.
pub(crate) fn describe(listeners: &[Listener], arguments: &SchedulerArguments) -> String {
    let addresses: Vec<SocketAddr> = listeners.iter().filter_map(Listener::tcp_address).collect();
    let paths = listeners.iter().filter_map(Listener::unix_path);
    let paths = paths.map(|path| format!("the Unix socket {}", path.display()));
    let all: Vec<String> = addresses
        .iter()
        .map(|address| format!("http://{address}"))
        .chain(paths)
        .collect();
    let whom = if addresses.iter().all(is_loopback) {
        format!(
            "for this machine only; to open it to other hosts: {}",
            arguments.opened()
        )
    } else {
        "for all hosts, without authentication: whoever reaches it may do everything".to_owned()
    };
    format!("Listening on {}, {whom}", all.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(addresses: &[&str]) -> SchedulerArguments {
        SchedulerArguments {
            address: addresses.iter().map(ToString::to_string).collect(),
            port: 9000,
            ..SchedulerArguments::default()
        }
    }

    #[test]
    fn without_a_word_it_is_this_machine() {
        let alone = places(&arguments(&[])).unwrap();
        assert_eq!(alone, [Place::Loopback { port: 9000 }]);
        let with_socket = SchedulerArguments {
            unix_socket: Some("s".into()),
            ..arguments(&[])
        };
        assert_eq!(places(&with_socket).unwrap(), [Place::Unix("s".into())]);
    }

    #[test]
    fn addresses_of_this_machine_alone_need_no_word() {
        for address in [
            "127.0.0.1",
            "127.0.0.2",
            "::1",
            "localhost",
            "::ffff:127.0.0.1",
        ] {
            let place = Place::Tcp {
                address: address.to_owned(),
                port: 9000,
            };
            assert_eq!(
                places(&arguments(&[address])).unwrap(),
                [place],
                "{address}"
            );
        }
    }

    #[test]
    fn other_addresses_need_one() {
        for address in ["0.0.0.0", "::", "*", "", "192.0.2.1"] {
            let words = arguments(&["127.0.0.1", address]);
            let failure = places(&words).unwrap_err();
            assert!(
                failure.to_string().contains("--no-authentication"),
                "{failure}"
            );
            assert_eq!(failure.code(), 2);
            let meant = SchedulerArguments {
                no_authentication: true,
                ..words
            };
            assert_eq!(places(&meant).unwrap().len(), 2);
        }
    }
}
