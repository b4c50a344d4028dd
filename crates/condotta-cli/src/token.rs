//! `condotta token`: makes, lists and revokes the tokens with which a scheduler's callers say who they
//! are.
//!
//! Works on the scheduler's state directory; one that runs notices by itself.

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, Subcommand};
use condotta_server::access::{NewToken, Role, Token, TokenError, TokenFile};
use serde_json::{Value, json};

use crate::{
    error::{Failure, Kind, with_causes},
    settings::{self, Settings},
    state,
};

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, and write it to standard output, this once
    Create {
        /// Who gets it, such as the name of a team or machine
        name: String,
        /// What it permits: viewer (look), worker (run tasks, too), operator (everything)
        #[arg(long)]
        role: Role,
        /// For how many days it is good [default: for ever]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
        expires: Option<u32>,
        #[command(flatten)]
        place: TokenPlace,
    },
    /// List the tokens; their secrets are kept nowhere
    List {
        #[command(flatten)]
        place: TokenPlace,
    },
    /// Make a token useless, from the next request on
    Revoke {
        /// The token's name
        name: String,
        #[command(flatten)]
        place: TokenPlace,
    },
}

/// Where the tokens are, and how to write about them.
#[derive(Args, Debug)]
pub(crate) struct TokenPlace {
    /// Directory of the scheduler's state [default: as for `condotta scheduler`]
    #[arg(long, value_name = "DIRECTORY")]
    state_dir: Option<PathBuf>,
    /// Further configuration file, read last; any number of times
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// Does what the command says.
pub(crate) fn run(command: &TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Create {
            name,
            role,
            expires,
            place,
        } => create(
            place,
            &NewToken {
                name: name.clone(),
                role: *role,
                lasts_secs: expires.map(|days| u64::from(days) * 86400),
            },
        ),
        TokenCommand::List { place } => list(place),
        TokenCommand::Revoke { name, place } => {
            place.file()?.revoke(name).map_err(failure)?;
            if place.json {
                println!("{}", json!({ "revoked": name }));
            } else {
                println!("Revoked the token `{name}`: no request with it is let in from now on");
            }
            Ok(())
        }
    }
}

/// The token goes to standard output alone, so that a script can take it from there.
fn create(place: &TokenPlace, new: &NewToken) -> Result<(), Failure> {
    let file = place.file()?;
    let is_first = file.read().map_err(failure)?.is_none();
    let secret = file.create(new).map_err(failure)?;
    let tokens = file.read().map_err(failure)?.unwrap_or_default();
    let made = tokens.iter().find(|token| token.name == new.name);
    if place.json {
        let mut shown = made.map(shown).unwrap_or_default();
        shown["token"] = secret.into();
        println!("{shown}");
        return Ok(());
    }
    let until = made.and_then(|token| token.expires);
    let until = until.map_or("for ever".to_owned(), |time| {
        format!("until {}", date(time))
    });
    let (name, role) = (&new.name, new.role);
    eprintln!("The token `{name}` has the role {role} and is good {until}. It is shown this once:");
    println!("{secret}");
    if is_first {
        let directory = place.directory()?;
        eprintln!(
            "It is the first: from now on, whoever comes over TCP to the scheduler with its state in {} \
             needs a token",
            directory.display()
        );
    }
    Ok(())
}

fn list(place: &TokenPlace) -> Result<(), Failure> {
    let tokens = place.file()?.read().map_err(failure)?.unwrap_or_default();
    if place.json {
        println!("{}", Value::from_iter(tokens.iter().map(shown)));
        return Ok(());
    }
    if tokens.is_empty() {
        println!("There are no tokens");
        return Ok(());
    }
    let longest = tokens.iter().map(|token| token.name.len()).max();
    let width = longest.unwrap_or_default().max("NAME".len());
    let mut text = String::new();
    let mut line = |cells: [&str; 4]| {
        let [name, role, created, expires] = cells;
        let _ = writeln!(text, "{name:width$}  {role:8}  {created:20}  {expires}");
    };
    line(["NAME", "ROLE", "CREATED", "EXPIRES"]);
    for token in &tokens {
        let expires = match token.expires {
            None => "never".to_owned(),
            Some(time) if token.has_expired(now()) => format!("{} (has expired)", date(time)),
            Some(time) => date(time),
        };
        line([
            &token.name,
            token.role.name(),
            &date(token.created),
            &expires,
        ]);
    }
    print!("{text}");
    Ok(())
}

fn shown(token: &Token) -> Value {
    json!({
        "name": token.name,
        "role": token.role.name(),
        "created": date(token.created),
        "expires": token.expires.map(date),
        "expired": token.has_expired(now()),
    })
}

fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default()
}

fn date(secs: u64) -> String {
    let secs = i64::try_from(secs).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_second(secs).unwrap_or(jiff::Timestamp::MAX);
    time.to_string()
}

impl TokenPlace {
    fn directory(&self) -> Result<PathBuf, Failure> {
        let other = |error: &dyn std::error::Error| Failure::new(Kind::Other, with_causes(error));
        let config = settings::load(&self.config).map_err(|error| other(&error))?;
        let settings = Settings::new(&config).map_err(|error| other(&error))?;
        let directory = settings::state_dir(self.state_dir.as_deref(), &settings);
        directory.ok_or_else(settings::no_state_dir)
    }

    fn file(&self) -> Result<TokenFile, Failure> {
        Ok(TokenFile::of(&self.directory()?))
    }
}

/// The exit code of what can go wrong with tokens.
pub(crate) fn failure(error: TokenError) -> Failure {
    match error {
        TokenError::Directory(error) => state::failure(error),
        TokenError::Unreadable { .. } => Failure::new(Kind::State, error),
        TokenError::BadName(_) => Failure::new(Kind::Usage, error),
        other => Failure::new(Kind::Other, other),
    }
}
