//! What a URL says of encryption, what drivers are to be told besides, and what it means when a connection cannot be
//! encrypted.

use std::{error::Error, fs::File, io};

use rustls::CertificateError;

use crate::{Dialect, name_of};

/// How both drivers name the mode.
const MODE: [&str; 2] = ["sslmode", "ssl-mode"];
/// And what the client shows of itself.
const OWN_FILES: [&str; 4] = ["sslcert", "ssl-cert", "sslkey", "ssl-key"];

/// What a database's driver names in its own way. Names of the same thing are both good.
struct Words {
    /// The modes, which may be written in capitals.
    modes: &'static [&'static str],
    authorities: &'static [&'static str],
    /// The mode that demands encryption and looks at no certificate.
    demanded: &'static str,
    /// What demands a certificate of one of the authorities.
    looked_at: &'static str,
    advice: &'static str,
}

const POSTGRES: Words = Words {
    modes: &[
        "disable",
        "allow",
        "prefer",
        "require",
        "verify-ca",
        "verify-full",
    ],
    authorities: &["sslrootcert", "ssl-root-cert", "ssl-ca"],
    demanded: "require",
    looked_at: "sslmode=verify-ca",
    advice: "sslmode=verify-full and sslrootcert=/path/of/the/authority.pem",
};

const MYSQL: Words = Words {
    modes: &[
        "disabled",
        "preferred",
        "required",
        "verify_ca",
        "verify_identity",
    ],
    authorities: &["sslca", "ssl-ca"],
    demanded: "required",
    looked_at: "ssl-mode=VERIFY_CA",
    advice: "ssl-mode=VERIFY_IDENTITY and ssl-ca=/path/of/the/authority.pem",
};

impl Words {
    fn of(dialect: Dialect) -> Option<&'static Self> {
        match dialect {
            Dialect::Postgres => Some(&POSTGRES),
            Dialect::MySql => Some(&MYSQL),
            Dialect::Sqlite => None,
        }
    }

    fn know(&self, name: &str) -> bool {
        [&MODE, self.authorities, &OWN_FILES]
            .iter()
            .any(|names| names.contains(&name))
    }
}

/// What to write instead, where a parameter is about encryption and the driver does not know it, or its mode: whoever
/// wants a connection to be safe is not to have one that is not.
pub(crate) fn advice(dialect: Dialect, parameters: &[&str]) -> Option<&'static str> {
    let words = Words::of(dialect)?;
    let is_passed_over = |parameter: &&str| {
        let name = name_of(parameter);
        let lower = name.to_ascii_lowercase();
        (lower.starts_with("ssl") || lower.starts_with("tls")) && !words.know(name)
    };
    let is_no_mode = |parameter: &&str| {
        let pair = form_urlencoded::parse(parameter.as_bytes()).next();
        pair.is_some_and(|(name, mode)| {
            MODE.contains(&&*name) && !words.modes.contains(&&*mode.to_ascii_lowercase())
        })
    };
    parameters
        .iter()
        .any(|parameter| is_passed_over(parameter) || is_no_mode(parameter))
        .then_some(words.advice)
}

/// What the driver is told besides. Whoever names an authority wants the server's certificate to be looked at, as the
/// databases' own clients do, and drivers do that only if they are told so.
pub(crate) fn addition(dialect: Dialect, parameters: &[&str]) -> Option<&'static str> {
    let words = Words::of(dialect)?;
    let find = |names: &[&str]| {
        let found = parameters
            .iter()
            .rfind(|parameter| names.contains(&name_of(parameter)));
        found.map(|parameter| parameter.split_once('=').map_or("", |(_, value)| value))
    };
    find(words.authorities)?;
    let is_open = find(&MODE).is_none_or(|mode| mode.eq_ignore_ascii_case(words.demanded));
    is_open.then_some(words.looked_at)
}

/// Why a connection cannot be encrypted, and what to do; nothing where an error is of something else.
#[must_use]
pub fn trouble(error: &(dyn Error + 'static)) -> Option<String> {
    for error in chain(error) {
        // The driver's words, which have no type of their own.
        if error.to_string() == "server does not support TLS" {
            return Some(
                "the server does not encrypt connections, and the URL demands it (sslmode, ssl-mode): TLS is to be \
                 turned on there"
                    .to_owned(),
            );
        }
        if let Some(error) = error.downcast_ref() {
            return Some(of_tls(error));
        }
    }
    None
}

/// An error with its causes. What one of I/O was made from is not its own cause, but the next one.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn of_tls(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return format!("the connection cannot be encrypted: {error}");
    };
    match reason {
        // The latter where an authority has the name of one that is trusted, and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate is signed by nobody who is trusted here; sslrootcert (PostgreSQL) or ssl-ca \
             (MySQL) in the URL names a file of certificates to trust"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired; whoever runs the server has to renew it, unless this machine's \
             clock is wrong"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another name; the URL has to name the server as its certificate does, or \
             to demand less: sslmode=verify-ca (PostgreSQL), ssl-mode=VERIFY_CA (MySQL)"
                .to_owned()
        }
        other => format!("the server's certificate is refused: {other}"),
    }
}

/// Which file of a URL's encryption cannot be read, where an error may be of that. Drivers say only that some file
/// cannot.
#[must_use]
pub fn unreadable(url: &str, error: &(dyn Error + 'static)) -> Option<io::Error> {
    let of_io = chain(error).find_map(|error| error.downcast_ref::<io::Error>())?;
    if ![io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied].contains(&of_io.kind()) {
        return None;
    }
    let (_, parameters) = url.split_once('?')?;
    let files = [POSTGRES.authorities, MYSQL.authorities, &OWN_FILES];
    form_urlencoded::parse(parameters.as_bytes())
        .filter(|(name, _)| files.iter().any(|names| names.contains(&&**name)))
        // It may be the certificate itself.
        .filter(|(_, value)| !value.trim_start().starts_with("-----BEGIN"))
        .find_map(|(name, path)| {
            let error = File::open(&*path).err()?;
            let said = format!("{name} of the URL names {path}: {error}");
            Some(io::Error::new(error.kind(), said))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_names_an_authority_has_certificates_looked_at() {
        use Dialect::{MySql, Postgres};
        let (verify_pg, verify_my) = (Some("sslmode=verify-ca"), Some("ssl-mode=VERIFY_CA"));
        for (dialect, parameters, added) in [
            (Postgres, "sslmode=require", None),
            (Postgres, "sslrootcert=a", verify_pg),
            (Postgres, "sslrootcert=a&sslmode=require", verify_pg),
            (Postgres, "ssl-ca=a&ssl-mode=REQUIRE", verify_pg),
            (Postgres, "sslmode=verify-full&sslrootcert=a", None),
            (
                Postgres,
                "sslmode=require&sslmode=verify-full&sslrootcert=a",
                None,
            ),
            (Postgres, "sslmode=prefer&sslrootcert=a", None),
            (MySql, "ssl-mode=REQUIRED", None),
            (MySql, "ssl-ca=a", verify_my),
            (MySql, "sslca=a&ssl-mode=REQUIRED", verify_my),
            (MySql, "ssl-mode=VERIFY_IDENTITY&ssl-ca=a", None),
        ] {
            let parameters: Vec<&str> = parameters.split('&').collect();
            assert_eq!(addition(dialect, &parameters), added, "{parameters:?}");
        }
    }

    #[test]
    fn what_drivers_do_not_know_is_advised_against() {
        for (dialect, parameter, is_known) in [
            (Dialect::Postgres, "sslmode=require", true),
            (Dialect::Postgres, "ssl_mode=require", false),
            (Dialect::Postgres, "SSLMODE=require", false),
            (Dialect::Postgres, "sslcrl=a", false),
            (Dialect::Postgres, "sslmode=requir", false),
            (Dialect::Postgres, "sslmode=REQUIRED", false),
            (Dialect::Postgres, "ssl-mode=Verify%2Dfull", true),
            (Dialect::MySql, "ssl-mode=require", false),
            (Dialect::MySql, "sslmode=Verify_CA", true),
            (Dialect::Postgres, "connect_timeout=2", true),
            (Dialect::MySql, "ssl-mode=REQUIRED", true),
            (Dialect::MySql, "ssl_ca=a", false),
            (Dialect::MySql, "sslrootcert=a", false),
            (Dialect::MySql, "tls=true", false),
            (Dialect::MySql, "charset=utf8", true),
        ] {
            let advice = advice(dialect, &[parameter]);
            assert_eq!(advice.is_none(), is_known, "{parameter}: {advice:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = io::Error::from(io::ErrorKind::NotFound);
        let url = "postgresql://me:secret@db/x?user=a&sslrootcert=%2Fno%2Fsuch+file";
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(unreadable(url, &refused).is_none());
        let said = unreadable(url, &error).expect("there is none").to_string();
        assert!(
            said.starts_with("sslrootcert of the URL names /no/such file: "),
            "{said}"
        );
        for fine in [
            "postgresql://db/x",
            "mysql://db/x?ssl-ca=%2Fdev%2Fnull&charset=utf8",
            "mysql://db/x?ssl-ca=-----BEGIN+CERTIFICATE-----",
        ] {
            assert!(unreadable(fine, &error).is_none(), "{fine}");
        }
    }
}
