//! Sections `[webhook NAME]`: which programs are told what happens.

use std::time::Duration;

use condotta_config::{Config, Value};
use condotta_mail::Secret;
use condotta_server::notify::{NoticeKind, WebhookConfig, webhook::HookFormat};

use super::{Section, SettingError};

const START: &str = "webhook ";

/// All webhooks, and warnings.
pub(super) fn webhooks(config: &Config) -> Result<(Vec<WebhookConfig>, Vec<String>), SettingError> {
    let mut hooks = Vec::new();
    let mut warnings = Vec::new();
    for name in config.section_names() {
        let Some(hook) = name.strip_prefix(START) else {
            if name == START.trim_end() {
                warnings.push(
                    "section [webhook] is ignored: a webhook has a name, as in [webhook ops]"
                        .into(),
                );
            }
            continue;
        };
        let section = Section::new(config, name.to_owned());
        hooks.push(webhook(&section, hook)?);
        warnings.extend(section.unread()?);
    }
    Ok((hooks, warnings))
}

fn webhook(section: &Section<'_>, name: &str) -> Result<WebhookConfig, SettingError> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_name) {
        let expected =
            "a section [webhook NAME] whose name is of letters, digits, `-`, `_` and `.`";
        return Err(section.secret("url", expected));
    }
    let url = section.text("url")?.unwrap_or_default();
    if url.is_empty() {
        return Err(section.secret("url", "where to send, as in https://host/path"));
    }
    let mut hook = WebhookConfig::new(name, &url);
    let mut events = Vec::new();
    section.list("events", &mut events)?;
    if !events.is_empty() {
        let kinds = events.iter().map(|word| NoticeKind::named(word));
        let expected = "a list of some of failed, disabled, done, scheduling_failed, worker_lost, dead_end, cancel_refused, \
                        such as [\"failed\", \"disabled\"]";
        let kinds: Option<_> = kinds.collect();
        hook.events = kinds.ok_or_else(|| section.invalid("events", expected))?;
    }
    section.list("families", &mut hook.families)?;
    let formats = [("json", HookFormat::Json), ("slack", HookFormat::Slack)];
    section.choice("format", &formats, "json or slack", &mut hook.format)?;
    let full = |text: Option<String>| text.filter(|text| !text.is_empty());
    hook.secret = full(section.text("secret")?).map(Secret::new);
    hook.ca_file = full(section.text("ca_file")?).map(Into::into);
    hook.headers = headers(section)?;
    for (key, time) in [
        ("timeout", &mut hook.timeout),
        ("retry_for", &mut hook.retry_for),
        ("interval", &mut hook.interval),
    ] {
        let mut secs = time.as_secs_f64();
        section.number(key, &mut secs)?;
        let expected = "a number of seconds of at least 0";
        *time = Duration::try_from_secs_f64(secs).map_err(|_| section.invalid(key, expected))?;
    }
    let mut most = hook.max_events as u64;
    section.count("max_events", &mut most)?;
    hook.max_events = usize::try_from(most)
        .ok()
        .filter(|most| (1..=1000).contains(most))
        .ok_or_else(|| section.invalid("max_events", "a number from 1 to 1000"))?;
    Ok(hook)
}

/// Headers by name: JSON in INI files, a table in TOML. They are often keys, so they are not shown.
fn headers(section: &Section<'_>) -> Result<Vec<(String, Secret)>, SettingError> {
    let Some(value) = section.value("headers")? else {
        return Ok(Vec::new());
    };
    let pairs: Option<Vec<(String, String)>> = match value {
        Value::Text(text) if text.is_empty() => Some(Vec::new()),
        Value::Text(text) => {
            let read = serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(&text).ok();
            read.and_then(|map| {
                let pairs = map.into_iter();
                pairs
                    .map(|(name, value)| Some((name, value.as_str()?.to_owned())))
                    .collect()
            })
        }
        Value::Table(entries) => entries
            .into_iter()
            .map(|(name, value)| match value {
                Value::Text(text) => Some((name, text)),
                _ => None,
            })
            .collect(),
        _ => None,
    };
    let expected = "headers by name, such as {\"Authorization\": \"Bearer …\"}";
    let pairs = pairs.ok_or_else(|| section.secret("headers", expected))?;
    let pairs = pairs.into_iter();
    Ok(pairs
        .map(|(name, value)| (name, Secret::new(value)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<WebhookConfig>, Vec<String>), String> {
        let config: Config = text.parse().expect("a good text");
        webhooks(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn each_section_is_a_webhook() {
        let text = "[webhook ops]\nurl = https://u:p@host/x\nevents = [\"failed\", \"done\"]\n\
                    families = [\"Load\"]\nformat = slack\nsecret = s3\nheaders = {\"X-Key\": \"k3\"}\n\
                    timeout = 2.5\nmax_events = 3\n[webhook second]\nurl = http://host/\n";
        let (hooks, warnings) = read(text).unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(hooks.len(), 2);
        let hook = &hooks[0];
        assert_eq!(hook.name, "ops");
        assert_eq!(hook.url.reveal(), "https://u:p@host/x");
        assert_eq!(hook.events, [NoticeKind::Failed, NoticeKind::Done].into());
        assert_eq!(hook.families, ["Load"]);
        assert_eq!(hook.format, HookFormat::Slack);
        assert_eq!(hook.headers, [("X-Key".to_owned(), Secret::new("k3"))]);
        assert_eq!(hook.timeout, Duration::from_millis(2500));
        assert_eq!(hook.max_events, 3);
        assert!(!hooks[1].events.contains(&NoticeKind::Done));
        let shown = format!("{hooks:?}");
        for secret in ["u:p", "s3", "k3"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn what_cannot_be_used_names_its_place_and_no_secret() {
        let start = "[webhook ops]\nurl = http://hidden/\n";
        for (more, said) in [
            (
                "events = [\"fail\"]\n",
                "[webhook ops] events is [\"fail\"]: write a list",
            ),
            (
                "headers = hidden\n",
                "[webhook ops] headers: write headers by name",
            ),
            (
                "max_events = 0\n",
                "[webhook ops] max_events is 0: write a number from 1",
            ),
            ("interval = -1\n", "[webhook ops] interval is -1"),
        ] {
            let error = read(&format!("{start}{more}")).unwrap_err();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("hidden"), "{error}");
        }
        let error = read("[webhook ops]\nsecret = x\n").unwrap_err();
        assert!(
            error.contains("the configuration: [webhook ops] url: write where to send"),
            "{error}"
        );
        assert!(read("[webhook a b]\nurl = http://x\n").is_err());
        let (_, warnings) = read("[webhook]\nurl = http://x\n").unwrap();
        assert!(warnings[0].contains("a webhook has a name"), "{warnings:?}");
    }
}
