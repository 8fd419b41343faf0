//! Environment and flags, checked once, at the start.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand, ValueEnum};

use ipnet::IpNet;

use crate::{
    domain::landing::{self, Landing},
    engine::{api_keys::OWN_KEY_MIN_CHARS, purge::EVIDENCE_DAYS},
    http::{ServerLimits, auth::JwtSettings, settings::CONNECTIONS_PER_ADDRESS},
};

mod documents;
mod keys;
mod log;
mod origins;
mod tls;

pub use documents::DocumentOptions;
pub use keys::{Keys, NewKey, Role, Scope};
pub use origins::OriginOptions;
pub use tls::TlsOptions;

/// A self-hosted referral engine behind a GraphQL API.
#[derive(Debug, Parser)]
#[command(name = "banyan", version, about, max_term_width = 110)]
pub struct Cli {
    /// What to do; `serve` unless told.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Add sample people, and keep some activity going.
    #[arg(long)]
    pub demo: bool,
    /// Settings.
    #[command(flatten)]
    pub options: Options,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the GraphQL API (this is what happens without a command).
    Serve {
        /// Add sample people, and keep some activity going.
        #[arg(long)]
        demo: bool,
    },
    /// Bring the database up to date and stop.
    Migrate,
    /// Import people or events from a CSV file.
    Import {
        /// What the file holds.
        #[command(subcommand)]
        what: Import,
    },
    /// Compute counters and boards again from the rows they are derived from.
    Rebuild,
    /// Compare counters, boards, rewards and balances with the rows they are derived from.
    Verify,
    /// Make, list and revoke API keys.
    Keys {
        /// What to do with them.
        #[command(subcommand)]
        what: Keys,
    },
    /// Print the GraphQL schema.
    Schema,
    /// Write made-up people as CSV for `import users`, to try things on.
    Generate {
        /// How many.
        people: u32,
        /// Seed of the generator; the same seed gives the same people.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Let made-up crowds with known cheats sign up on a database of their own, and print how well the usual fraud policy
    /// tells them apart.
    FraudTrial {
        /// How many people each crowd has.
        #[arg(long, default_value_t = 20_000)]
        people: usize,
    },
}

/// What to import.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// People: external_id,referrer_external_id,code,display_name,created_at.
    Users {
        /// The CSV file.
        file: PathBuf,
    },
    /// Events: external_id,type,amount,currency,idempotency_key,occurred_at.
    Events {
        /// The CSV file.
        file: PathBuf,
        /// Record the events without paying for them.
        #[arg(long)]
        no_rewards: bool,
    },
}

/// Settings, from flags or from the environment variables of the same names.
#[derive(Args, Clone)]
pub struct Options {
    /// Where to listen.
    #[arg(long, env = "BIND", default_value = "127.0.0.1:8080", global = true)]
    pub bind: SocketAddr,
    /// The database: sqlite://path or postgres://user@host/database.
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://data/banyan.db",
        global = true,
        hide_env_values = true
    )]
    pub database_url: String,
    /// Connections to PostgreSQL, or readers of an SQLite file.
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value_t = 10, global = true)]
    pub database_connections: usize,
    /// Redis or Valkey, to run several servers as one.
    #[arg(long, env = "REDIS_URL", global = true, hide_env_values = true)]
    pub redis_url: Option<String>,
    /// Namespace of this installation in a shared Redis.
    #[arg(long, env = "REDIS_NAMESPACE", default_value = "main", global = true)]
    pub redis_namespace: String,
    /// The first admin key, 32 characters or more; made and printed once when there is no key at all.
    #[arg(long, env = "ADMIN_API_KEY", global = true, hide_env_values = true)]
    pub admin_api_key: Option<String>,
    /// Secret of the host's HS256 tokens, 32 bytes or more.
    #[arg(long, env = "JWT_SECRET", global = true, hide_env_values = true)]
    pub jwt_secret: Option<String>,
    /// Public key (PEM) of the host's tokens.
    #[arg(long, env = "JWT_PUBLIC_KEY", global = true)]
    pub jwt_public_key: Option<String>,
    /// Where the host publishes the keys of its tokens.
    #[arg(long, env = "JWKS_URL", global = true, hide_env_values = true)]
    pub jwks_url: Option<String>,
    /// Required issuer of the host's tokens.
    #[arg(long, env = "JWT_ISSUER", global = true)]
    pub jwt_issuer: Option<String>,
    /// Required audience of the host's tokens.
    #[arg(long, env = "JWT_AUDIENCE", global = true)]
    pub jwt_audience: Option<String>,
    /// Key of the hashes of personal data; made and kept in the database unless given.
    #[arg(long, env = "HASH_KEY", global = true, hide_env_values = true)]
    pub hash_key: Option<String>,
    /// The key of the hashes before HASH_KEY, while what was hashed with it is still to be recognised.
    #[arg(long, env = "HASH_KEY_PREVIOUS", global = true, hide_env_values = true)]
    pub hash_key_previous: Option<String>,
    /// Days for which hashed addresses, devices and mailboxes of signups and clicks are kept as evidence of fraud.
    #[arg(long, env = "EVIDENCE_DAYS", default_value_t = EVIDENCE_DAYS, global = true)]
    pub evidence_days: u32,
    /// Base of referral links; from BIND unless given.
    #[arg(long, env = "PUBLIC_URL", global = true)]
    pub public_url: Option<String>,
    /// Where referral links lead, unless a program says otherwise; the base of referral links unless given.
    #[arg(long, env = "LANDING_URL", global = true)]
    pub landing_url: Option<String>,
    /// Hosts that a link may name with `?to=https://...`, separated by commas.
    #[arg(long, env = "LANDING_HOSTS", value_delimiter = ',', global = true)]
    pub landing_hosts: Vec<String>,
    /// Networks of proxies whose X-Forwarded-For is believed, as in `10.0.0.0/8,192.0.2.7/32`.
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',', global = true)]
    pub trusted_proxies: Vec<String>,
    /// Connections that one address may have at once, unless it is a trusted proxy.
    #[arg(long, env = "CONNECTIONS_PER_ADDRESS", default_value_t = CONNECTIONS_PER_ADDRESS, global = true)]
    pub connections_per_address: usize,
    /// Where connections are encrypted.
    #[command(flatten)]
    pub tls: TlsOptions,
    /// Pages of other sites that may use the API.
    #[command(flatten)]
    pub origins: OriginOptions,
    /// A JSON file of the documents that may be run, by everybody but operators: a map from ids to documents, or a
    /// persisted query manifest of Apollo's. All documents may be run unless given.
    #[arg(long, env = "TRUSTED_DOCUMENTS", global = true)]
    pub trusted_documents: Option<PathBuf>,
    /// How large documents may be.
    #[command(flatten)]
    pub documents: DocumentOptions,
    /// What this process does.
    #[arg(long, env = "ROLES", value_enum, value_delimiter = ',', default_value = "api,worker", global = true)]
    pub roles: Vec<ProcessRole>,
    /// What is logged, as in `info` or `debug`. A level alone is for Banyan itself; the libraries inside it say more than
    /// `info` only by name, as in `debug,h2=debug`, and may then log what callers sent.
    #[arg(long, env = "LOG", default_value = "info", global = true)]
    pub log: String,
    /// How it is logged.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProcessRole {
    /// Answers requests.
    Api,
    /// Folds what was appended.
    Worker,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is wrong with the settings.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The admin key is too short.
    #[error(
        "ADMIN_API_KEY must have at most 255 and at least {OWN_KEY_MIN_CHARS} characters, without spaces or two dots"
    )]
    AdminKey,
    /// The key of the hashes is too short.
    #[error("HASH_KEY must have at least 16 characters")]
    HashKey,
    /// The base of links, the landing page or a host is not one.
    #[error(
        "PUBLIC_URL and LANDING_URL must be addresses such as https://refer.example, LANDING_HOSTS names such as shop.example"
    )]
    Links,
    /// A proxy is neither an address nor a network.
    #[error("TRUSTED_PROXIES: `{0}` is neither an address nor a network such as 10.0.0.0/8")]
    Proxy(String),
    /// An origin is not written as browsers write it.
    #[error(
        "ALLOWED_ORIGINS: `{0}` is not an origin as browsers send it, such as https://app.example or \
         http://localhost:3000: in lower case, without a path, a slash at the end or the usual port; `*` is not taken"
    )]
    Origin(String),
    /// A certificate needs a key, and a key a certificate.
    #[error("TLS_CERT and TLS_KEY belong together: {0} is missing")]
    Tls(&'static str),
    /// There must be at least one connection.
    #[error("DATABASE_CONNECTIONS must be 1 to 1000")]
    Connections,
    /// Every address must be able to connect.
    #[error("CONNECTIONS_PER_ADDRESS must be at least 1")]
    ConnectionsPerAddress,
    /// A limit of documents lets nothing pass, or everything.
    #[error("{variable} must be 1 to {most}; it is {given}")]
    Document {
        /// Which.
        variable: &'static str,
        /// What it is.
        given: u64,
        /// What it may be.
        most: u64,
    },
}

impl Options {
    /// Checks what clap cannot.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.admin_api_key.as_deref().is_some_and(|key| !is_key(key)) {
            return Err(ConfigError::AdminKey);
        }
        if self.hash_key.as_deref().is_some_and(|key| key.chars().count() < 16) {
            return Err(ConfigError::HashKey);
        }
        if !(1..=1_000).contains(&self.database_connections) {
            return Err(ConfigError::Connections);
        }
        if self.connections_per_address == 0 {
            return Err(ConfigError::ConnectionsPerAddress);
        }
        landing::page(&self.public_url()).map_err(|_| ConfigError::Links)?;
        self.landing()?;
        self.origins.listed()?;
        self.tls.files()?;
        self.documents.limits()?;
        self.proxies().map(drop)
    }

    /// Where links lead.
    pub fn landing(&self) -> Result<Landing, ConfigError> {
        let page = self.landing_url.clone().unwrap_or_else(|| format!("{}/", self.public_url()));
        let hosts: Vec<String> = self.landing_hosts.iter().filter(|host| !host.trim().is_empty()).cloned().collect();
        Landing::new(&page, &hosts).map_err(|_| ConfigError::Links)
    }

    /// Proxies in front of this server.
    pub fn proxies(&self) -> Result<Vec<IpNet>, ConfigError> {
        let given = self.trusted_proxies.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        given.map(|text| network(text).ok_or_else(|| ConfigError::Proxy(text.to_owned()))).collect()
    }

    /// What the accept loop lets in.
    pub fn server_limits(&self) -> Result<ServerLimits, ConfigError> {
        let (connections_per_address, trusted_proxies) = (self.connections_per_address, self.proxies()?);
        Ok(ServerLimits { connections_per_address, trusted_proxies, ..ServerLimits::default() })
    }

    /// What is logged, as the log's own filter has it.
    pub fn log_directives(&self) -> String {
        log::directives(&self.log)
    }

    /// How the host's tokens are checked.
    pub fn jwt(&self) -> JwtSettings {
        JwtSettings {
            secret: self.jwt_secret.clone(),
            public_key_pem: self.jwt_public_key.clone(),
            jwks_url: self.jwks_url.clone(),
            issuer: self.jwt_issuer.clone(),
            audience: self.jwt_audience.clone(),
        }
    }

    /// Base of the addresses that are shown.
    pub fn public_url(&self) -> String {
        let given = self.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
        given.unwrap_or_else(|| self.own_url())
    }

    /// Where the server listens, as an address.
    pub fn own_url(&self) -> String {
        format!("{}://{}", self.tls.scheme(), self.bind)
    }

    /// Whether this process has a role.
    pub fn has_role(&self, role: ProcessRole) -> bool {
        self.roles.contains(&role)
    }
}

/// A network, or one address.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// A key is told from a token by not having two dots.
fn is_key(key: &str) -> bool {
    let plain = key.chars().all(|symbol| symbol.is_ascii_graphic());
    plain && (OWN_KEY_MIN_CHARS..=255).contains(&key.len()) && key.matches('.').count() != 2
}

/// Shows no secrets.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("bind", &self.bind).field("roles", &self.roles).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn options(args: &[&str]) -> Options {
        Cli::parse_from(std::iter::once("banyan").chain(args.iter().copied())).options
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn weak_settings_are_refused() {
        assert_eq!(options(&["--admin-api-key", "short"]).check(), Err(ConfigError::AdminKey));
        assert_eq!(options(&["--hash-key", "short"]).check(), Err(ConfigError::HashKey));
        assert_eq!(options(&["--database-connections", "0"]).check(), Err(ConfigError::Connections));
        assert_eq!(options(&["--connections-per-address", "0"]).check(), Err(ConfigError::ConnectionsPerAddress));
        assert_eq!(options(&["--admin-api-key", &"k".repeat(32)]).check(), Ok(()));
        assert_eq!(options(&["--landing-url", "shop.example"]).check(), Err(ConfigError::Links));
        assert_eq!(options(&["--landing-hosts", "https://shop.example"]).check(), Err(ConfigError::Links));
        assert_eq!(options(&["--public-url", "refer.example"]).check(), Err(ConfigError::Links));
        let proxy = |text: &str| ConfigError::Proxy(text.to_owned());
        assert_eq!(options(&["--trusted-proxies", "10.0.0.0/8,proxy"]).check(), Err(proxy("proxy")));
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        let proxies = options(&["--trusted-proxies", "10.0.0.0/8, 192.0.2.7,2001:db8::/32"]).proxies().unwrap();
        let texts: Vec<String> = proxies.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]);
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", options(&["--admin-api-key", &"canary".repeat(8), "--jwt-secret", "canary"]));
        assert!(!shown.contains("canary"), "{shown}");
    }
}
