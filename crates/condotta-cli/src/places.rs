//! Where the server listens: on this machine, unless somebody takes the responsibility.

use std::net::{SocketAddr, ToSocketAddrs as _};

use condotta_server::{
    access::{AccessConfig, Authentication, TokenFile},
    listen::{Listener, Place},
};

use crate::{
    arguments::{SchedulerArguments, quoted},
    error::{Failure, Kind},
    token,
};

/// The places that the command line names.
pub(crate) fn places(arguments: &SchedulerArguments) -> Result<Vec<Place>, Failure> {
    let port = arguments.port;
    let mut places = Vec::new();
    for address in &arguments.address {
        // An address that is none is an error before anything else is done.
        is_local(address, port)?;
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

/// Whether somebody can say who he is, where that is asked.
///
/// Other hosts can reach some addresses: such an address needs a token, or a word that whoever comes
/// may do everything.
pub(crate) fn check_access(
    arguments: &SchedulerArguments,
    access: &AccessConfig,
) -> Result<(), Failure> {
    let mut open = None;
    for address in &arguments.address {
        if !is_local(address, arguments.port)? {
            open = Some(address);
        }
    }
    let why = match (access.authentication, open) {
        (Authentication::Never, _) | (Authentication::Auto, None) => return Ok(()),
        (_, Some(address)) => format!("--address {address} lets other hosts in"),
        (Authentication::Always, None) => "[scheduler] authentication is always".to_owned(),
    };
    let Some(directory) = &access.state_dir else {
        return Ok(());
    };
    let tokens = TokenFile::of(directory).read().map_err(token::failure)?;
    let now = jiff::Timestamp::now().as_second();
    let now = u64::try_from(now).unwrap_or_default();
    if tokens.is_some_and(|tokens| tokens.iter().any(|token| !token.has_expired(now))) {
        return Ok(());
    }
    let place = format!("--state-dir {}", quoted(&directory.to_string_lossy()));
    let text = format!(
        "{why}, and nobody has a token yet with which to say who it is. Make some first, and start again:\n  \
         condotta token create NAME --role operator {place}\n  \
         condotta token create NAME --role worker {place}\n\
         Or add --no-authentication if whoever reaches the server may do everything"
    );
    Err(Failure::new(Kind::Usage, text))
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
pub(crate) fn describe(
    listeners: &[Listener],
    arguments: &SchedulerArguments,
    access: &AccessConfig,
) -> String {
    let shown = |listener: &Listener| match (listener.tcp_address(), listener.unix_path()) {
        (Some(address), _) if listener.is_encrypted() => Some(format!("https://{address}")),
        (Some(address), _) => Some(format!("http://{address}")),
        (None, Some(path)) => Some(format!("the Unix socket {}", path.display())),
        (None, None) => None,
    };
    let all: Vec<String> = listeners.iter().filter_map(shown).collect();
    let asks = asks_for_tokens(access);
    let whom = if !is_open(listeners) {
        let token = if asks { " with a token" } else { "" };
        format!(
            "for this machine only{token}; to open it to other hosts: {}",
            arguments.opened()
        )
    } else if asks {
        "for whoever has a token".to_owned()
    } else {
        "for all hosts, without authentication: whoever reaches it may do everything".to_owned()
    };
    format!("Listening on {}, {whom}", all.join(" and "))
}

/// What may be read on the way, if something may.
pub(crate) fn warn_of_readers(
    listeners: &[Listener],
    access: &AccessConfig,
) -> Option<&'static str> {
    let plain = !listeners.iter().any(Listener::is_encrypted);
    (plain && is_open(listeners) && asks_for_tokens(access)).then_some(
        "Tokens come over the network as they are, and who reads along may use them: encrypt connections \
         with --tls-certificate and --tls-key, or let other hosts in through a proxy that does",
    )
}

/// Whether other hosts reach one of them.
fn is_open(listeners: &[Listener]) -> bool {
    let mut addresses = listeners.iter().filter_map(Listener::tcp_address);
    addresses.any(|address| !is_loopback(&address))
}

/// Whether callers over TCP have to say who they are.
fn asks_for_tokens(access: &AccessConfig) -> bool {
    let has_tokens = |directory| matches!(TokenFile::of(directory).read(), Ok(Some(_)) | Err(_));
    match access.authentication {
        Authentication::Never => false,
        Authentication::Always => true,
        Authentication::Auto => access.state_dir.as_deref().is_some_and(has_tokens),
    }
}

#[cfg(test)]
mod tests {
    use condotta_server::access::{NewToken, Role};

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
    fn other_addresses_need_a_token_or_a_word() {
        let home = tempfile::tempdir().unwrap();
        let access = |authentication| AccessConfig {
            authentication,
            state_dir: Some(home.path().to_owned()),
            ..AccessConfig::default()
        };
        let (auto, never) = (access(Authentication::Auto), access(Authentication::Never));
        for address in ["0.0.0.0", "::", "*", "", "192.0.2.1"] {
            let words = arguments(&["127.0.0.1", address]);
            let failure = check_access(&words, &auto).unwrap_err();
            let text = failure.to_string();
            assert!(text.contains("--no-authentication"), "{text}");
            assert!(text.contains("condotta token create"), "{text}");
            assert_eq!(failure.code(), 2);
            assert!(check_access(&words, &never).is_ok());
        }
        let local = arguments(&["127.0.0.1"]);
        assert!(check_access(&local, &auto).is_ok());
        let always = access(Authentication::Always);
        assert!(check_access(&local, &always).is_err());
        let token = NewToken {
            name: "a".to_owned(),
            role: Role::Worker,
            lasts_secs: None,
        };
        TokenFile::of(home.path()).create(&token).unwrap();
        assert!(check_access(&local, &always).is_ok());
        assert!(check_access(&arguments(&["0.0.0.0"]), &auto).is_ok());
    }
}
