//! `tokens`: who may come in, and with which role. They are those of `condotta token`, in the same file.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    answer::Answerer,
    input::{Json, Name},
    openapi::Error,
};
use crate::{
    access::{NewToken, Operator, Role, Token, TokenError, TokenFile, now},
    audit::{Deed, Operation},
    http::{Server, error::HttpError},
};

pub(super) fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(tokens, create))
        .routes(routes!(revoke))
}

/// What a token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TokenRole {
    /// Look at everything.
    Viewer,
    /// That, and what workers do.
    Worker,
    /// Everything.
    Operator,
}

impl From<Role> for TokenRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Worker => Self::Worker,
            Role::Operator => Self::Operator,
        }
    }
}

impl From<TokenRole> for Role {
    fn from(role: TokenRole) -> Self {
        match role {
            TokenRole::Viewer => Self::Viewer,
            TokenRole::Worker => Self::Worker,
            TokenRole::Operator => Self::Operator,
        }
    }
}

/// All tokens.
#[derive(Serialize, ToSchema)]
struct TokenList {
    /// In the order in which they were made.
    items: Vec<TokenRow>,
}

/// A token; its secret is kept nowhere.
#[derive(Serialize, ToSchema)]
struct TokenRow {
    /// Who has it.
    name: String,
    /// What it permits.
    role: TokenRole,
    /// When it was made.
    created: u64,
    /// From when on it is of no use; nothing if it is good for ever.
    expires: Option<u64>,
    /// Whether its time is over.
    expired: bool,
}

impl TokenRow {
    fn new(token: &Token) -> Self {
        Self {
            name: token.name.clone(),
            role: token.role.into(),
            created: token.created,
            expires: token.expires,
            expired: token.has_expired(now()),
        }
    }
}

/// All tokens, without their secrets. For operators.
#[utoipa::path(get, path = "/tokens", tag = "tokens", responses((status = 200, body = TokenList)))]
async fn tokens(
    State(server): State<Server>,
    _: Operator,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let tokens = with_file(&server, |file| file.read()).await?;
    let items = tokens.iter().flatten().map(TokenRow::new).collect();
    Ok(answerer.small(&TokenList { items }))
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenWanted {
    /// Who gets it, such as the name of a person, team or machine: 1 to 100 letters, digits and any of
    /// `-`, `_`, `.`, `@`.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it permits.
    role: TokenRole,
    /// For how many seconds it is good; for ever if it is not said.
    #[schema(minimum = 1)]
    lasts_secs: Option<u64>,
}

/// A new token.
#[derive(Serialize, ToSchema)]
struct TokenMade {
    #[serde(flatten)]
    row: TokenRow,
    /// The secret, which is in this answer and nowhere else.
    token: String,
    /// Whether it is the first, so that everybody needs one from now on.
    is_first: bool,
}

/// Makes a token, which is good from the next request on. For operators.
///
/// Nobody needs a token until there is one, so the first has to be an operator's.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens", request_body = TokenWanted,
    responses(
        (status = 200, body = TokenMade),
        (status = 409, description = "There is a token of this name, or it would be the first and is not an operator's", body = Error),
    )
)]
async fn create(
    State(server): State<Server>,
    operator: Operator,
    answerer: Answerer,
    Json(wanted): Json<TokenWanted>,
) -> Result<Response, HttpError> {
    if wanted.lasts_secs == Some(0) {
        let message = "`lasts_secs` is 0: give a whole number from 1, or nothing for ever";
        return Err(HttpError::bad_request("bad_body", message));
    }
    let new = NewToken {
        name: wanted.name,
        role: wanted.role.into(),
        lasts_secs: wanted.lasts_secs,
    };
    let role = new.role;
    let made = with_file(&server, move |file| {
        let is_first = file.read()?.is_none();
        if is_first && role != Role::Operator {
            return Ok(None);
        }
        let (token, secret) = file.create(&new)?;
        Ok(Some(TokenMade {
            row: TokenRow::new(&token),
            token: secret,
            is_first,
        }))
    });
    let made = made.await?.ok_or_else(|| {
        HttpError::new(
            StatusCode::CONFLICT,
            "no_operator",
            "there is no token yet, and from the first one on everybody needs one: make one with the role \
             operator first",
        )
    })?;
    let details = json!({"role": role.name(), "expires": made.row.expires});
    let deed = Deed::new(Operation::CreateToken).on(&made.row.name);
    operator.did(&server, deed.with(details)).await;
    let mut response = answerer.small(&made);
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

/// A token that is of no use any more.
#[derive(Serialize, ToSchema)]
struct TokenRevoked {
    /// Its name.
    revoked: String,
}

/// Makes a token useless, from the next request on; streams and sessions that were begun with it end.
/// For operators.
#[utoipa::path(
    post, path = "/tokens/{name}/revoke", tag = "tokens",
    params(("name" = String, Path, description = "The token's name")),
    responses((status = 200, body = TokenRevoked))
)]
async fn revoke(
    State(server): State<Server>,
    operator: Operator,
    Name(name): Name,
    answerer: Answerer,
) -> Result<Response, HttpError> {
    let revoked = name.clone();
    with_file(&server, move |file| file.revoke(&name)).await?;
    let deed = Deed::new(Operation::RevokeToken).on(&revoked);
    operator.did(&server, deed).await;
    Ok(answerer.small(&TokenRevoked { revoked }))
}

/// What comes of work on the file of tokens, done where nobody waits for the disk.
async fn with_file<T: Send + 'static>(
    server: &Server,
    work: impl FnOnce(&TokenFile) -> Result<T, TokenError> + Send + 'static,
) -> Result<T, HttpError> {
    let directory = server.config.access.state_dir.as_deref();
    let Some(file) = directory.map(TokenFile::of) else {
        let message = "this server has no state directory, and so no tokens";
        return Err(HttpError::unavailable("no_tokens", message));
    };
    let done = server.work.run(true, move || work(&file)).await;
    done.map_err(failed)
}

fn failed(error: TokenError) -> HttpError {
    let message = error.to_string();
    match error {
        TokenError::BadName(_) => HttpError::bad_request("bad_name", message),
        TokenError::Exists(_) => HttpError::new(StatusCode::CONFLICT, "exists", message),
        TokenError::Unknown(name) => {
            let name: String = name.chars().take(100).collect();
            HttpError::not_found(TokenError::Unknown(name).to_string())
        }
        other => {
            // Where the files are is nobody's business but the operator's, who reads the log.
            tracing::error!("the tokens cannot be read or changed: {other}");
            let message = "the tokens cannot be read or changed now; the server's log says why";
            HttpError::unavailable("no_tokens", message)
        }
    }
}
