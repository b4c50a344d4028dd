//! `condotta token`: makes, lists and revokes the tokens with which a scheduler's callers say who they
//! are.
//!
//! Works on the scheduler's state directory, and one that runs notices by itself; or asks one that runs
//! elsewhere, as an operator.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use condotta_server::{
    access::{NewToken, Role, Token, TokenError, TokenFile},
    audit::{Deed, Operation, note_command},
};
use serde_json::{Value, json};

use crate::{
    error::{Failure, Kind, with_causes},
    operate::{Answer, Common, Scheduler, escaped, print, table},
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
    /// Ask the scheduler at this address instead, as an operator
    #[arg(long, value_name = "URL", conflicts_with = "state_dir")]
    scheduler_url: Option<String>,
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
        } => {
            let new = NewToken {
                name: name.clone(),
                role: *role,
                lasts_secs: expires.map(|days| u64::from(days) * 86400),
            };
            create(place, &new)
        }
        TokenCommand::List { place } => list(&place.keeper()?)?.print(place.json),
        TokenCommand::Revoke { name, place } => {
            place.keeper()?.revoke(name)?;
            let answer = Answer {
                text: format!(
                    "Revoked the token `{name}`: no request with it is let in from now on\n"
                ),
                json: json!({ "revoked": name }),
            };
            answer.print(place.json)
        }
    }
}

/// The token goes to standard output alone, so that a script can take it from there.
fn create(place: &TokenPlace, new: &NewToken) -> Result<(), Failure> {
    let keeper = place.keeper()?;
    let made = keeper.create(new)?;
    if place.json {
        let mut shown = made.token.shown();
        shown["token"] = made.secret.into();
        return hand_over(&new.name, &shown.to_string());
    }
    let until = made.token.expires;
    let until = until.map_or("for ever".to_owned(), |time| {
        format!("until {}", date(time))
    });
    let (name, role) = (&new.name, new.role);
    eprintln!("The token `{name}` has the role {role} and is good {until}");
    // It holds, too, if nobody gets the token.
    if made.is_first {
        eprintln!(
            "It is the first: from now on, whoever comes over TCP to the scheduler {} needs a token",
            keeper.scheduler()
        );
    }
    eprintln!("The token is shown this once:");
    hand_over(name, &made.secret)
}

/// Writes what is nowhere else to standard output.
fn hand_over(name: &str, secret: &str) -> Result<(), Failure> {
    let lost = |reason: String| {
        let text = format!(
            "{reason}: the token `{name}` was made, and nobody has it; revoke it, and make another one"
        );
        Err(Failure::new(Kind::Other, text))
    };
    match print(&format!("{secret}\n")) {
        Ok(true) => Ok(()),
        Ok(false) => lost("nobody reads standard output".to_owned()),
        Err(failure) => lost(failure.to_string()),
    }
}

fn list(keeper: &Keeper) -> Result<Answer, Failure> {
    let tokens = keeper.list()?;
    let rows = tokens.iter().map(|token| {
        let expires = match token.expires {
            None => "never".to_owned(),
            Some(time) if token.has_expired() => format!("{} (has expired)", date(time)),
            Some(time) => date(time),
        };
        let (name, role) = (token.name.clone(), token.role.clone());
        vec![name, role, date(token.created), expires]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let text = if rows.is_empty() {
        "There are no tokens\n".to_owned()
    } else {
        table(&["NAME", "ROLE", "CREATED", "EXPIRES"], &rows)
    };
    Ok(Answer {
        text,
        json: Value::from_iter(tokens.iter().map(Row::shown)),
    })
}

/// Who keeps the tokens.
enum Keeper {
    /// A state directory.
    Directory(PathBuf),
    /// A scheduler that runs.
    Server(Scheduler),
}

/// A new token.
struct Made {
    token: Row,
    secret: String,
    is_first: bool,
}

impl Keeper {
    fn create(&self, new: &NewToken) -> Result<Made, Failure> {
        match self {
            Self::Directory(directory) => {
                let file = TokenFile::of(directory);
                let is_first = file.read().map_err(failure)?.is_none();
                let (token, secret) = file.create(new).map_err(failure)?;
                let details = json!({"role": new.role.name(), "expires": token.expires});
                note(directory, Operation::CreateToken, &new.name, details);
                Ok(Made {
                    token: Row::of(&token),
                    secret,
                    is_first,
                })
            }
            Self::Server(scheduler) => {
                let body = json!({
                    "name": new.name, "role": new.role.name(), "lasts_secs": new.lasts_secs,
                });
                let made = ours(scheduler, scheduler.post("tokens", &body)?)?;
                Ok(Made {
                    token: Row::read(&made),
                    secret: made["token"].as_str().unwrap_or_default().to_owned(),
                    is_first: made["is_first"] == true,
                })
            }
        }
    }

    fn list(&self) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Directory(directory) => {
                let tokens = TokenFile::of(directory).read().map_err(failure)?;
                Ok(tokens.iter().flatten().map(Row::of).collect())
            }
            Self::Server(scheduler) => {
                let list = ours(scheduler, scheduler.get("tokens", &[])?)?;
                let items = list["items"].as_array();
                Ok(items.into_iter().flatten().map(Row::read).collect())
            }
        }
    }

    fn revoke(&self, name: &str) -> Result<(), Failure> {
        match self {
            Self::Directory(directory) => {
                TokenFile::of(directory).revoke(name).map_err(failure)?;
                note(directory, Operation::RevokeToken, name, Value::Null);
                Ok(())
            }
            Self::Server(scheduler) => {
                let path = format!("tokens/{}/revoke", escaped(name));
                ours(scheduler, scheduler.post(&path, &json!({}))?).map(drop)
            }
        }
    }

    /// Which scheduler it is whose tokens these are.
    fn scheduler(&self) -> String {
        match self {
            Self::Directory(directory) => format!("with its state in {}", directory.display()),
            Self::Server(scheduler) => format!("at {}", scheduler.address()),
        }
    }
}

/// Writes down who changed what in the audit trail of a state directory.
fn note(state_dir: &Path, operation: Operation, name: &str, details: Value) {
    let uid = nix::unistd::geteuid();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    let user = user.map_or_else(|| uid.to_string(), |user| user.name);
    let deed = Deed::new(operation).on(name).with(details);
    note_command(state_dir, &user, deed);
}

fn ours(scheduler: &Scheduler, answer: Option<Value>) -> Result<Value, Failure> {
    answer.ok_or_else(|| scheduler.only_ours("asks nobody for tokens"))
}

/// A token, without its secret. Times are seconds since 1970.
struct Row {
    name: String,
    role: String,
    created: u64,
    expires: Option<u64>,
}

impl Row {
    fn of(token: &Token) -> Self {
        Self {
            name: token.name.clone(),
            role: token.role.name().to_owned(),
            created: token.created,
            expires: token.expires,
        }
    }

    /// As the API shows it.
    fn read(token: &Value) -> Self {
        let text = |name: &str| token[name].as_str().unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            role: text("role"),
            created: token["created"].as_u64().unwrap_or_default(),
            expires: token["expires"].as_u64(),
        }
    }

    fn has_expired(&self) -> bool {
        self.expires.is_some_and(|end| now() >= end)
    }

    fn shown(&self) -> Value {
        json!({
            "name": self.name,
            "role": self.role,
            "created": date(self.created),
            "expires": self.expires.map(date),
            "expired": self.has_expired(),
        })
    }
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
    fn keeper(&self) -> Result<Keeper, Failure> {
        if self.scheduler_url.is_some() {
            let common = Common {
                scheduler_url: self.scheduler_url.clone(),
                config: self.config.clone(),
                json: self.json,
            };
            return Ok(Keeper::Server(Scheduler::find(&common)?));
        }
        let other = |error: &dyn std::error::Error| Failure::new(Kind::Other, with_causes(error));
        let config = settings::load(&self.config).map_err(|error| other(&error))?;
        let settings = Settings::new(&config).map_err(|error| other(&error))?;
        let directory = settings::state_dir(self.state_dir.as_deref(), &settings);
        let directory = directory.ok_or_else(settings::no_state_dir)?;
        Ok(Keeper::Directory(directory))
    }
}

/// The exit code of what can go wrong with tokens.
pub(crate) fn failure(error: TokenError) -> Failure {
    match error {
        TokenError::Directory(error) => state::failure(error),
        TokenError::Unreadable { .. } => Failure::new(Kind::State, error),
        TokenError::BadName(_) => Failure::new(Kind::Usage, error),
        TokenError::Unknown(_) => Failure::new(Kind::NotFound, error),
        TokenError::Exists(_) => Failure::new(Kind::Refused, error),
        other => Failure::new(Kind::Other, other),
    }
}
