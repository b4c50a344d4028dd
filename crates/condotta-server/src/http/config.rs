//! What an operator can set about the HTTP side. Knows no files; who reads them fills this in.

use std::time::Duration;

use crate::access::AccessConfig;

/// How requests are taken in.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Names under which this server is reached, besides IP addresses, `localhost` and the machine's
    /// own name. `.example.com` stands for every name below it, `*` for any name.
    pub allowed_hosts: Vec<String>,
    /// Pages of which other sites may use the API, as in Luigi's section `[cors]`.
    pub cors: Cors,
    /// Who is let in, and how callers are told apart.
    pub access: AccessConfig,
    /// A path such as `/luigi` under which a reverse proxy hands requests on without stripping it;
    /// empty for none. What comes without it is served too.
    pub path_prefix: String,
    /// The greatest body of one request, in bytes.
    pub max_body: usize,
    /// How many bytes of large bodies may be in memory at once, over all requests.
    pub max_bodies: usize,
    /// How long a body may take to arrive; large ones get a second more for each 100 kB.
    pub body_timeout: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            cors: Cors::default(),
            access: AccessConfig::default(),
            path_prefix: String::new(),
            max_body: 32 << 20,
            max_bodies: 256 << 20,
            body_timeout: Duration::from_secs(30),
        }
    }
}

/// Luigi's section `[cors]`, with its defaults.
#[derive(Clone, Debug)]
pub struct Cors {
    /// Whether any of this is in force.
    pub enabled: bool,
    /// Origins that may call; `*` and `null` are ignored here.
    pub allowed_origins: Vec<String>,
    /// Whether any origin may call.
    pub allow_any_origin: bool,
    /// Whether the origin `null` may call.
    pub allow_null_origin: bool,
    /// For how many seconds a browser may remember the permission.
    pub max_age: i64,
    /// The verbs that other origins may use. Pages of other origins change state only if `POST` is
    /// among them.
    pub allowed_methods: String,
    /// The headers that other origins may send.
    pub allowed_headers: String,
    /// The headers that other origins may read, besides the usual ones.
    pub exposed_headers: String,
    /// Whether requests may carry credentials.
    pub allow_credentials: bool,
}

impl Default for Cors {
    fn default() -> Self {
        Self {
            enabled: false,
            allowed_origins: Vec::new(),
            allow_any_origin: false,
            allow_null_origin: false,
            max_age: 86400,
            allowed_methods: "GET, OPTIONS".to_owned(),
            allowed_headers: "Accept, Content-Type, Origin".to_owned(),
            exposed_headers: String::new(),
            allow_credentials: false,
        }
    }
}
