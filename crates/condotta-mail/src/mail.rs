//! One mail: what it says, from whom and to whom.

use lettre::{
    Message,
    address::Envelope,
    message::{Mailbox, MultiPart, SinglePart, header},
};

use crate::{EmailSettings, Format};

/// A mail that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who sends.
    pub sender: String,
    /// Who gets it.
    pub recipients: Vec<String>,
    /// Its subject, with the prefix.
    pub subject: String,
    /// What it says.
    pub body: String,
    /// Whether the body is HTML.
    pub is_html: bool,
}

/// An address that no mail can be sent to, or from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no e-mail address: write name@host")]
pub struct AddressError(String);

impl Mail {
    /// A mail to these, who may each be several addresses with commas between; `None` if that is nobody.
    #[must_use]
    pub fn new(
        email: &EmailSettings,
        subject: &str,
        body: String,
        recipients: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Option<Self> {
        let recipients: Vec<String> = recipients
            .into_iter()
            .flat_map(|entry| addresses(entry.as_ref()).collect::<Vec<String>>())
            .collect();
        let subject = match email.prefix.as_str() {
            "" => subject.to_owned(),
            prefix => format!("{prefix} {subject}"),
        };
        (!recipients.is_empty()).then(|| Self {
            sender: email.sender.clone(),
            recipients,
            // What a task is called must not become a header of its own.
            subject: subject.replace(['\r', '\n'], " "),
            body,
            is_html: email.format == Format::Html,
        })
    }

    /// The mail as it travels, and for whom. Recipients that are no addresses are left out and named.
    pub(crate) fn compose(&self) -> Result<Composed, AddressError> {
        let sender = mailbox(&self.sender)?;
        let mut wrong = Vec::new();
        let mut to = Vec::new();
        for recipient in &self.recipients {
            match mailbox(recipient) {
                Ok(mailbox) => to.push(mailbox),
                Err(error) => wrong.push((recipient.clone(), error.to_string())),
            }
        }
        let mut message = Message::builder()
            .from(sender.clone())
            .subject(&self.subject);
        for mailbox in &to {
            message = message.to(mailbox.clone());
        }
        let kind = if self.is_html {
            header::ContentType::TEXT_HTML
        } else {
            header::ContentType::TEXT_PLAIN
        };
        let text = SinglePart::builder().header(kind).body(self.body.clone());
        let bytes = if to.is_empty() {
            Vec::new()
        } else {
            let message = message.multipart(MultiPart::related().singlepart(text));
            message
                .expect("it has a sender and a recipient")
                .formatted()
        };
        Ok(Composed {
            sender,
            to,
            wrong,
            bytes,
        })
    }
}

/// A mail as it travels.
pub(crate) struct Composed {
    sender: Mailbox,
    pub(crate) to: Vec<Mailbox>,
    /// Recipients that are no addresses, and why.
    pub(crate) wrong: Vec<(String, String)>,
    pub(crate) bytes: Vec<u8>,
}

impl Composed {
    /// The envelope to some of those it is to.
    pub(crate) fn envelope(&self, to: &[Mailbox]) -> Envelope {
        let to = to.iter().map(|mailbox| mailbox.email.clone()).collect();
        Envelope::new(Some(self.sender.email.clone()), to).expect("there is a recipient")
    }
}

/// The addresses in a text with commas between them.
pub fn addresses(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(',').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty());
    parts.map(str::to_owned)
}

/// A text as an address, with or without a name before it.
fn mailbox(text: &str) -> Result<Mailbox, AddressError> {
    text.parse().map_err(|_| AddressError(text.to_owned()))
}

impl EmailSettings {
    /// Whether sender and receivers are addresses.
    ///
    /// # Errors
    ///
    /// The first that is none.
    pub fn check(&self) -> Result<(), AddressError> {
        mailbox(&self.sender)?;
        addresses(&self.receiver).try_for_each(|receiver| mailbox(&receiver).map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_addresses_with_commas_between() {
        let mut email = EmailSettings::on_host("vm");
        email.prefix = "[prod]".to_owned();
        let mail = Mail::new(&email, "a\nb", "text".to_owned(), ["x@a, y@b", "", "z@c"]);
        let mail = mail.expect("there are recipients");
        assert_eq!(mail.recipients, ["x@a", "y@b", "z@c"]);
        assert_eq!(mail.subject, "[prod] a b");
        assert_eq!(Mail::new(&email, "a", String::new(), [" , "]), None);
    }

    #[test]
    fn one_wrong_recipient_does_not_spoil_the_mail() {
        let email = EmailSettings::on_host("vm");
        let mail = Mail::new(
            &email,
            "a",
            "text".to_owned(),
            ["me", "Ops <ops@example.com>"],
        );
        let composed = mail.expect("somebody").compose().expect("a good sender");
        assert_eq!(composed.to.len(), 1);
        assert_eq!(composed.wrong[0].0, "me");
        let text = String::from_utf8(composed.bytes).expect("ASCII");
        assert!(text.contains("To: Ops <ops@example.com>\r\n"), "{text}");
        assert!(text.contains("multipart/related"), "{text}");
    }

    #[test]
    fn what_is_no_address_is_said() {
        let mut email = EmailSettings::on_host("vm");
        assert_eq!(email.check(), Ok(()));
        email.receiver = "ops@example.com, somebody".to_owned();
        let error = email.check().expect_err("no address").to_string();
        assert!(
            error.starts_with("`somebody` is no e-mail address"),
            "{error}"
        );
    }
}
