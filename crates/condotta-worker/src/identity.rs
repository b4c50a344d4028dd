//! Who a worker is: its id, and what it says of itself.

use condotta_scheduler::InfoValue;

/// The parts of a generated worker id, in Luigi's order; also the worker's info.
pub(crate) fn worker_info(processes: usize, host: Option<&str>) -> Vec<(String, InfoValue)> {
    let text = |value: &str| InfoValue::Text(value.to_owned());
    let salt = format!("{:09}", fastrand::u64(0..10_000_000_000));
    let mut info = vec![
        ("salt".to_owned(), InfoValue::Text(salt)),
        (
            "workers".to_owned(),
            InfoValue::Int(i64::try_from(processes).unwrap_or(i64::MAX)),
        ),
    ];
    if let Some(host) = host {
        info.push(("host".to_owned(), text(host)));
    }
    if let Some(user) = user_name() {
        info.push(("username".to_owned(), InfoValue::Text(user)));
    }
    info.push((
        "pid".to_owned(),
        InfoValue::Int(i64::from(std::process::id())),
    ));
    if let Some(user) = std::env::var("SUDO_USER")
        .ok()
        .filter(|user| !user.is_empty())
    {
        info.push(("sudo_user".to_owned(), InfoValue::Text(user)));
    }
    info
}

/// `Worker(salt=…, workers=…, host=…, username=…, pid=…)`.
pub(crate) fn worker_id(info: &[(String, InfoValue)]) -> String {
    let shown: Vec<String> = info
        .iter()
        .map(|(name, value)| match value {
            InfoValue::Text(text) => format!("{name}={text}"),
            InfoValue::Int(number) => format!("{name}={number}"),
            other => format!("{name}={other:?}"),
        })
        .collect();
    format!("Worker({})", shown.join(", "))
}

/// The host's name.
pub(crate) fn host_name() -> Option<String> {
    nix::unistd::gethostname().ok()?.into_string().ok()
}

/// As Python's `getpass.getuser` finds it: from the environment, then from the user id.
fn user_name() -> Option<String> {
    ["LOGNAME", "USER", "LNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .or_else(|| {
            Some(
                nix::unistd::User::from_uid(nix::unistd::getuid())
                    .ok()??
                    .name,
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_salt_processes_host_user_and_process() {
        let id = worker_id(&worker_info(3, Some("box")));
        let rest = id.strip_prefix("Worker(salt=").expect("it starts so");
        let (salt, rest) = rest.split_once(", ").unwrap();
        assert!((9..=10).contains(&salt.len()), "{id}");
        assert!(rest.starts_with("workers=3, host=box, username="), "{id}");
        assert!(
            rest.contains(&format!(", pid={}", std::process::id())),
            "{id}"
        );
    }
}
