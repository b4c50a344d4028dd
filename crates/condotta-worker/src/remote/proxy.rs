//! The proxy that the environment names for an address, by the rules of Python's `requests`.

use std::net::IpAddr;

use ureq::Proxy;

/// The proxy for a URL of `scheme` at `host`, if the environment names one.
///
/// This machine itself is never asked for through a proxy, which could not find it.
pub(super) fn from_environment(scheme: &str, host: &str) -> Option<Proxy> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let proxy = Proxy::new(&choose(scheme, host, variable)?);
    if let Err(error) = &proxy {
        tracing::warn!(
            target: "luigi-interface",
            "The proxy that the environment names for {scheme}://{host} is not used: {error}",
        );
    }
    proxy.ok()
}

/// The proxy's URL.
fn choose(scheme: &str, host: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let either = |name: &str| variable(name).or_else(|| variable(&name.to_ascii_uppercase()));
    if is_this_machine(host) {
        return None;
    }
    if either("no_proxy").is_some_and(|list| lists(&list, host)) {
        return None;
    }
    either(&format!("{scheme}_proxy")).or_else(|| either("all_proxy"))
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether a list such as `localhost,.example.org,10.0.0.0/8` names the host.
fn lists(list: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    list.split(',').map(str::trim).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        let entry = entry
            .split_once(':')
            .map_or(entry.as_str(), |(name, port)| {
                // A port is said with the name; an address of version 6 has many colons.
                if port.parse::<u16>().is_ok() {
                    name
                } else {
                    &entry
                }
            });
        let name = entry.trim_start_matches('.');
        match (host.parse(), entry) {
            (_, "") => false,
            (_, "*") => true,
            (Ok(IpAddr::V4(address)), network) => {
                network == host || in_network(address.to_bits(), network)
            }
            _ => {
                host == name
                    || host
                        .strip_suffix(name)
                        .is_some_and(|rest| rest.ends_with('.'))
            }
        }
    })
}

/// Whether an address of version 4 is in `10.0.0.0/8`.
fn in_network(address: u32, network: &str) -> bool {
    let parsed = network.split_once('/').and_then(|(base, bits)| {
        let base: std::net::Ipv4Addr = base.parse().ok()?;
        let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        Some((base.to_bits(), bits))
    });
    parsed.is_some_and(|(base, bits)| {
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        address & mask == base & mask
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(scheme: &str, host: &str, variables: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        choose(scheme, host, variable)
    }

    #[test]
    fn the_variable_of_the_scheme_counts_before_that_for_all() {
        let variables = [("http_proxy", "http://p"), ("ALL_PROXY", "http://all")];
        assert_eq!(
            chosen("http", "far", &variables).as_deref(),
            Some("http://p")
        );
        assert_eq!(
            chosen("https", "far", &variables).as_deref(),
            Some("http://all")
        );
        assert_eq!(chosen("https", "far", &variables[..1]), None);
    }

    #[test]
    fn this_machine_and_what_no_proxy_lists_are_reached_directly() {
        let with = |host: &str, no_proxy: &str| {
            chosen(
                "http",
                host,
                &[("http_proxy", "http://p"), ("no_proxy", no_proxy)],
            )
            .is_some()
        };
        assert!(with("far.org", ""));
        for host in ["localhost", "127.0.0.1", "::1", "127.1.2.3"] {
            assert!(!with(host, ""), "{host}");
        }
        for (host, list) in [
            ("far.org", "*"),
            ("far.org", "x, far.org"),
            ("a.far.org", ".far.org"),
            ("a.far.org", "far.org:8082"),
            ("10.1.2.3", "10.0.0.0/8"),
            ("10.1.2.3", "10.1.2.3"),
        ] {
            assert!(!with(host, list), "{host} in {list}");
        }
        for (host, list) in [("nofar.org", "far.org"), ("11.1.2.3", "10.0.0.0/8")] {
            assert!(with(host, list), "{host} in {list}");
        }
    }
}
