//! How a server is reached: address, login, encryption.

use std::{fmt, io};

use super::{client::Login, files::FtpFiles};
use crate::{
    location::{Location, Secret},
    remote::{
        by_rename::ByRename,
        settings::{secret, setting},
        store::{Connected, Protocol},
    },
};

const SECTION: &str = "ftp";

/// The settings of [`FtpFileSystem`](crate::FtpFileSystem).
#[derive(Clone, Default)]
pub struct Ftp {
    pub(super) login: Option<(String, Secret)>,
}

impl Ftp {
    /// Who logs in: as the URL says, or this file system, or the configuration, or nobody in particular.
    fn login(&self, location: &Location) -> io::Result<(String, Secret)> {
        if let (Some(user), Some(password)) = (&location.user, &location.password) {
            return Ok((user.clone(), password.clone()));
        }
        let given = match &self.login {
            Some(login) => Some(login.clone()),
            None => setting(SECTION, "username")?.zip(secret(SECTION, "password")?),
        };
        match (&location.user, given) {
            // A password belongs to the name that it was given with.
            (Some(user), Some((name, password))) if *user == name => Ok((name, password)),
            (Some(user), _) => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "there is no password for {user}: it comes from the URL, from FtpFileSystem::login, or from username and password in the section [ftp]"
                ),
            )),
            (None, Some(login)) => Ok(login),
            (None, None) => Ok(("anonymous".to_owned(), Secret::new("anonymous@"))),
        }
    }
}

impl Protocol for Ftp {
    const SCHEMES: &'static [&'static str] = &["ftp", "ftps"];

    fn connect(&self, location: &Location) -> io::Result<Connected> {
        const PORT: u16 = 21;
        let (user, password) = self.login(location)?;
        let has_port = location
            .host
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.ends_with(']'));
        let address = match has_port {
            true => location.host.clone(),
            false => format!("{}:{PORT}", location.host),
        };
        let name = address.rsplit_once(':').map_or("", |(name, _)| name);
        let login = Login {
            name: name.trim_matches(['[', ']']).to_owned(),
            address,
            user,
            password,
            encrypted: location.scheme == "ftps",
        };
        let files = FtpFiles::new(login, location.store());
        Ok(Connected::new(ByRename::new(files, location.store())))
    }
}

impl fmt::Debug for Ftp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.login.as_ref().map(|(user, _)| user);
        f.debug_struct("Ftp").field("user", &user).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_of_the_user_that_it_was_given_with() {
        let ftp = Ftp {
            login: Some(("ann".to_owned(), Secret::new("word"))),
        };
        let login = |url| {
            ftp.login(&Location::parse(url))
                .map(|(user, password)| (user, password.reveal().to_owned()))
        };
        let ann = ("ann".to_owned(), "word".to_owned());
        assert_eq!(login("ftp://host/x").expect("a login"), ann);
        assert_eq!(login("ftp://ann@host/x").expect("a login"), ann);
        let bob = login("ftp://bob:own@host/x").expect("a login");
        assert_eq!(bob, ("bob".to_owned(), "own".to_owned()));
        let error = login("ftp://bob@host/x")
            .expect_err("no password")
            .to_string();
        assert!(
            error.contains("bob") && !error.contains("word for ann"),
            "{error}"
        );
        assert!(!format!("{ftp:?}").contains("word"));
    }
}
