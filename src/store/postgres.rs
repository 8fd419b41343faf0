//! PostgreSQL: connections, transactions and the few statements that SQLite says differently.

use std::time::Duration;

use diesel::ConnectionError;
use diesel_async::{
    AsyncConnection, AsyncPgConnection, SimpleAsyncConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool},
    },
};
use futures_util::FutureExt;
use tokio_postgres::config::SslMode;

use super::{error::StoreError, pool::PoolSettings, statements::Statements};

/// A connection of this database.
pub type Connection = AsyncPgConnection;
/// A connection on loan from the pool.
pub type Loan = Object<Connection>;

/// Inserts many rows with as few statements as the limit of 65,535 parameters allows; with `on_conflict_do_nothing`, those
/// that are not there yet.
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr $(, $unless:ident)?) => {{
        let rows = $rows;
        for chunk in rows.chunks($crate::store::postgres::ROWS_PER_INSERT) {
            let insert = ::diesel::insert_into($table).values(chunk)$(.$unless())?;
            ::diesel_async::RunQueryDsl::execute(insert, $conn).await?;
        }
    }};
}

/// Locks the rows that a query reads until the transaction ends.
macro_rules! for_update {
    ($query:expr) => {
        ($query).for_no_key_update()
    };
}

/// Takes rows nobody else has locked, and locks them.
macro_rules! skip_locked {
    ($query:expr) => {
        ($query).for_update().skip_locked()
    };
}

/// Locks the rows that a query reads against writers, not against other sharers.
macro_rules! for_share {
    ($query:expr) => {
        ($query).for_share()
    };
}

/// Locks the rows that a query reads even against those who only refer to them.
macro_rules! for_erasure {
    ($query:expr) => {
        ($query).for_update()
    };
}

/// Keeps the rows that a query reads from being erased, and nothing else.
macro_rules! for_reference {
    ($query:expr) => {
        ($query).for_key_share()
    };
}

/// Rows of one INSERT: 24 columns of them stay below the limit of parameters.
pub(super) const ROWS_PER_INSERT: usize = 1_000;

/// The first children of each node of a recursive `tree`, at most `$2` of them.
pub(super) const FIRST_CHILDREN: &str = "FROM tree CROSS JOIN LATERAL (SELECT edge.referred_id FROM referrals AS edge \
    WHERE edge.referrer_id = tree.id ORDER BY edge.referred_id LIMIT $2) AS child";

/// The users of what was `kept` of a tree.
pub(super) const KEPT_USERS: &str = "kept JOIN users ON users.id = kept.id";

#[path = "postgres/append.rs"]
pub mod append;
#[path = "postgres/bulk.rs"]
pub mod bulk;
#[path = "postgres/load.rs"]
pub mod load;
#[path = "queries/mod.rs"]
pub mod queries;

/// The pool of one server.
pub(super) fn pool(
    url: &str,
    settings: &PoolSettings,
    statements: &Statements,
) -> Result<Pool<Connection>, StoreError> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    let (options, statements) = (settings.session_options(), statements.clone());
    config.custom_setup = Box::new(move |url| establish(url.to_owned(), options.clone(), statements.clone()).boxed());
    let manager = AsyncDieselConnectionManager::<Connection>::new_with_config(url, config);
    settings.build(manager, settings.connections)
}

/// Opens a session whose statements, locks and idle transactions cannot last for ever. Options of the address come last,
/// so that they win.
async fn establish(url: String, options: String, statements: Statements) -> diesel::ConnectionResult<Connection> {
    let bad = ConnectionError::BadConnection;
    // The parser names what it stumbles over, which may be part of a password with a `?` or `@` in it.
    let malformed = |_| {
        bad("DATABASE_URL is malformed; signs such as / ? # @ in a password are written as %2F and so on".to_owned())
    };
    let mut config: tokio_postgres::Config = url.parse().map_err(malformed)?;
    let options = [Some(options.as_str()), config.get_options()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    config.options(options).application_name("banyan").connect_timeout(super::pool::CREATE_TIMEOUT);
    notice_a_lost_server(&mut config);
    // Asked for, encryption is worth something: the server's certificate is checked. Not asked for, it is left off,
    // rather than opened to whoever answers, which is all that `prefer` could promise.
    let mut connection = if config.get_ssl_mode() != SslMode::Require {
        config.ssl_mode(SslMode::Disable);
        let (client, driver) = config.connect(tokio_postgres::NoTls).await.map_err(|error| bad(explain(&error)))?;
        Connection::try_from_client_and_connection(client, driver).await?
    } else {
        let tls = super::tls::connector().map_err(bad)?;
        let (client, driver) = config.connect(tls).await.map_err(|error| bad(explain(&error)))?;
        Connection::try_from_client_and_connection(client, driver).await?
    };
    connection.set_instrumentation(statements);
    Ok(connection)
}

/// A server whose machine or line is gone says nothing, not even that it is gone: after ten seconds without a sign of life
/// the connection is given up, whoever waits on it. What the address says about this goes first.
fn notice_a_lost_server(config: &mut tokio_postgres::Config) {
    const PROBES: u32 = 3;
    let usual = tokio_postgres::Config::new();
    if config.get_keepalives_idle() == usual.get_keepalives_idle() {
        config.keepalives_idle(Duration::from_secs(4));
    }
    if config.get_keepalives_interval().is_none() && config.get_keepalives_retries().is_none() {
        config.keepalives_interval(Duration::from_secs(2)).keepalives_retries(PROBES);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(10));
    }
}

/// A driver's error with its cause: the outer text alone is "error connecting to server".
fn explain(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Begins a transaction of one of the doors.
pub(super) async fn begin(connection: &mut Connection, door: super::Door) -> Result<(), StoreError> {
    let text = match door {
        super::Door::Write => "BEGIN",
        super::Door::LongWrite => "BEGIN; SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '30s'",
        super::Door::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        super::Door::LongSnapshot => {
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '60s'"
        }
    };
    connection.batch_execute(text).await.map_err(StoreError::from_driver)
}

/// Ends a transaction.
pub(super) async fn end(connection: &mut Connection, ending: super::Ending) -> Result<(), StoreError> {
    let text = match ending {
        super::Ending::Commit => "COMMIT",
        super::Ending::RollBack => "ROLLBACK",
    };
    connection.batch_execute(text).await.map_err(StoreError::from_driver)
}
