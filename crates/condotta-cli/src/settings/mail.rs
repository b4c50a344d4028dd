//! Sections `[email]`, `[smtp]` and `[batch_email]`: how the server sends e-mail.
//!
//! Luigi once kept these keys in `[core]` and `[batch-notifier]`; they are found there, too.

use std::time::Duration;

use condotta_config::Config;
use condotta_mail::{BatchMode, BatchSettings, EmailSettings, Format, Secret, SmtpSettings};
use condotta_server::notify::MailConfig;

use super::{Section, SettingError};

/// How long a mail is tried to be sent.
const RETRY_FOR_SECS: u64 = 24 * 60 * 60;
/// How many mails wait.
const MAX_QUEUE: u64 = 1000;

/// How e-mail is sent, if there is anybody to send it to, and warnings.
pub(super) fn mail(
    config: &Config,
    batch_emails: bool,
) -> Result<(Option<MailConfig>, Vec<String>), SettingError> {
    let core = Section::new(config, "core");
    let section = Section::new(config, "email");
    let email = email(&core, &section)?;
    let mut retry_for = RETRY_FOR_SECS;
    section.count("retry_for", &mut retry_for)?;
    let mut max_queue = MAX_QUEUE;
    section.count("max_queue", &mut max_queue)?;
    let has_receivers = condotta_mail::addresses(&email.receiver).next().is_some();
    let is_wanted = (has_receivers || batch_emails) && email.format != Format::None;
    check_method(&section, is_wanted)?;
    let mut warnings = section.unread()?;
    let section = Section::new(config, "smtp");
    let smtp = smtp(&core, &section)?;
    warnings.extend(section.unread()?);
    let old = Section::new(config, "batch-notifier");
    let section = Section::new(config, "batch_email");
    let batch = batch(&old, &section)?;
    warnings.extend(section.unread()?);
    let mail = MailConfig {
        email,
        smtp,
        batch: batch_emails.then_some(batch),
        retry_for: Duration::from_secs(retry_for),
        max_queue: usize::try_from(max_queue).unwrap_or(usize::MAX),
    };
    Ok((is_wanted.then_some(mail), warnings))
}

fn email(core: &Section<'_>, section: &Section<'_>) -> Result<EmailSettings, SettingError> {
    let host = nix::unistd::gethostname().ok();
    let host = host.and_then(|name| name.into_string().ok());
    let mut email = EmailSettings::on_host(host.as_deref().unwrap_or("localhost"));
    section.flag("force_send", &mut email.force_send)?;
    let formats = [
        ("plain", Format::Plain),
        ("html", Format::Html),
        ("none", Format::None),
    ];
    let expected = "plain, html or none";
    core.choice("email_type", &formats, expected, &mut email.format)?;
    section.choice("format", &formats, expected, &mut email.format)?;
    for (old, key, text) in [
        ("email_prefix", "prefix", &mut email.prefix),
        ("error_email", "receiver", &mut email.receiver),
        ("email_sender", "sender", &mut email.sender),
    ] {
        if let Some(said) = either(core, old, section, key)? {
            *text = said;
        }
    }
    let mut longest = email.traceback_max_length as u64;
    section.count("traceback_max_length", &mut longest)?;
    email.traceback_max_length = usize::try_from(longest).unwrap_or(usize::MAX);
    Ok(email)
}

/// There is one way to send. SendGrid and Amazon SES can be reached by it, too.
fn check_method(section: &Section<'_>, is_wanted: bool) -> Result<(), SettingError> {
    // Where Luigi also looks for the method, and for the key of another one.
    section.text("SENGRID_API_KEY")?;
    for key in ["type", "method"] {
        let method = section.text(key)?.unwrap_or_else(|| "smtp".to_owned());
        if method != "smtp" && is_wanted {
            let expected = "smtp, the one way by which this server sends e-mail, and in section [smtp] the \
                            SMTP host of that service with its user and password; or receive no e-mail \
                            from the server (format = none)";
            return Err(section.invalid(key, expected));
        }
    }
    Ok(())
}

fn smtp(core: &Section<'_>, section: &Section<'_>) -> Result<SmtpSettings, SettingError> {
    let mut smtp = SmtpSettings::default();
    if let Some(host) = either(core, "smtp_host", section, "host")? {
        smtp.host = host;
    }
    for (section, key) in [(core, "smtp_port"), (section, "port")] {
        let mut port = u64::from(smtp.port);
        section.count(key, &mut port)?;
        smtp.port = u16::try_from(port).map_err(|_| section.invalid(key, "a port"))?;
    }
    let full = |text: Option<String>| text.filter(|text| !text.is_empty());
    smtp.username = full(either(core, "smtp_login", section, "username")?);
    let password = either(core, "smtp_password", section, "password")?;
    smtp.password = full(password).map(Secret::new);
    smtp.local_hostname = full(either(
        core,
        "smtp_local_hostname",
        section,
        "local_hostname",
    )?);
    core.flag("smtp_ssl", &mut smtp.ssl)?;
    section.flag("ssl", &mut smtp.ssl)?;
    core.flag("smtp_without_tls", &mut smtp.no_tls)?;
    section.flag("no_tls", &mut smtp.no_tls)?;
    for (section, key) in [(core, "smtp_timeout"), (section, "timeout")] {
        let mut secs = smtp.timeout.as_secs_f64();
        section.number(key, &mut secs)?;
        let expected = "a number of seconds of at least 0";
        smtp.timeout =
            Duration::try_from_secs_f64(secs).map_err(|_| section.invalid(key, expected))?;
    }
    if section.text("verify")?.is_some() {
        let mut verify = true;
        section.flag("verify", &mut verify)?;
        smtp.verify = Some(verify);
    }
    smtp.ca_file = full(section.text("ca_file")?).map(Into::into);
    Ok(smtp)
}

fn batch(old: &Section<'_>, section: &Section<'_>) -> Result<BatchSettings, SettingError> {
    let mut batch = BatchSettings::default();
    old.count("email_interval_minutes", &mut batch.email_interval)?;
    section.count("email_interval", &mut batch.email_interval)?;
    if batch.email_interval == 0 {
        return Err(section.invalid("email_interval", "a number of minutes of at least 1"));
    }
    let modes = [
        ("family", BatchMode::Family),
        ("all", BatchMode::All),
        ("unbatched_params", BatchMode::UnbatchedParams),
    ];
    let expected = "family, all or unbatched_params";
    section.choice("batch_mode", &modes, expected, &mut batch.batch_mode)?;
    for (key, number) in [
        ("error_lines", &mut batch.error_lines),
        ("error_messages", &mut batch.error_messages),
    ] {
        let mut count = *number as u64;
        section.count(key, &mut count)?;
        *number = usize::try_from(count).unwrap_or(usize::MAX);
    }
    let group = &mut batch.group_by_error_messages;
    section.flag("group_by_error_messages", group)?;
    Ok(batch)
}

/// The text of a key, or of its old place.
fn either(
    core: &Section<'_>,
    old: &'static str,
    section: &Section<'_>,
    key: &'static str,
) -> Result<Option<String>, SettingError> {
    let said = section.text(key)?;
    Ok(match said {
        Some(said) => Some(said),
        None => core.text(old)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, batch: bool) -> Result<(Option<MailConfig>, Vec<String>), String> {
        let config: Config = text.parse().expect("a good text");
        mail(&config, batch).map_err(|error| error.to_string())
    }

    #[test]
    fn without_anybody_to_tell_there_is_no_mail() {
        let (mail, warnings) = read("[email]\nmethod = ses\n[smtp]\nhost = x\n", false).unwrap();
        assert!(mail.is_none() && warnings.is_empty());
        assert!(read("", true).unwrap().0.is_some());
        let off = "[email]\nreceiver = a@b\nformat = none\n";
        assert!(read(off, true).unwrap().0.is_none());
    }

    #[test]
    fn keys_are_found_in_their_old_places() {
        let text = "[core]\nerror-email = a@b\nemail-type = html\nsmtp_host = mail\nsmtp_port = 25\n\
                    smtp_timeout = 2.5\n[smtp]\nport = 26\nusername = me\npassword = hunter2\n\
                    verify = false\n[batch-notifier]\nemail-interval-minutes = 5\n\
                    [batch_email]\nbatch_mode = family\nerror_lines = 0\n";
        let (mail, warnings) = read(text, true).unwrap();
        let mail = mail.unwrap();
        assert_eq!(mail.email.receiver, "a@b");
        assert_eq!(mail.email.format, Format::Html);
        assert_eq!((mail.smtp.host.as_str(), mail.smtp.port), ("mail", 26));
        assert_eq!(mail.smtp.timeout, Duration::from_millis(2500));
        assert_eq!(mail.smtp.verify, Some(false));
        let batch = mail.batch.clone().unwrap();
        assert_eq!((batch.email_interval, batch.error_lines), (5, 0));
        assert_eq!(batch.batch_mode, BatchMode::Family);
        assert_eq!(warnings, Vec::<String>::new());
        assert!(!format!("{mail:?}").contains("hunter2"));
    }

    #[test]
    fn what_cannot_be_used_names_its_place() {
        let receiver = "[email]\nreceiver = a@b\n";
        for (more, said) in [
            (
                "method = sendgrid\n",
                "text:3: [email] method is sendgrid: write smtp",
            ),
            (
                "format = pdf\n",
                "[email] format is pdf: write plain, html or none",
            ),
            (
                "[smtp]\nport = 70000\n",
                "[smtp] port is 70000: write a port",
            ),
            ("[smtp]\ntimeout = -1\n", "[smtp] timeout is -1"),
            (
                "[batch_email]\nemail_interval = 0\n",
                "[batch_email] email_interval is 0",
            ),
        ] {
            let error = read(&format!("{receiver}{more}"), false).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        let (_, warnings) = read("[email]\nreciever = a@b\n", false).unwrap();
        assert!(warnings[0].contains("section [email] has no key reciever"));
    }
}
