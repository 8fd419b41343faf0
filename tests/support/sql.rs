//! Plain SQL for tests, past the store: one text for both databases.

use diesel::{
    Connection as _, QueryableByName, SqliteConnection, connection::SimpleConnection as _, pg::Pg, sqlite::Sqlite,
};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};

/// A connection of a test's own.
pub enum Sql {
    /// To a file.
    Sqlite(Box<SqliteConnection>),
    /// To a server.
    Postgres(Box<AsyncPgConnection>),
}

impl Sql {
    /// Connects to a database by its `DATABASE_URL`.
    pub async fn connect(url: &str) -> Self {
        let Some(path) = url.strip_prefix("sqlite://") else {
            let connection = AsyncPgConnection::establish(url).await.expect("connects to PostgreSQL");
            return Self::Postgres(Box::new(connection));
        };
        let mut connection = SqliteConnection::establish(path).expect("opens the SQLite file");
        connection.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON").expect("sets SQLite up");
        Self::Sqlite(Box::new(connection))
    }

    /// Runs a query and reads its rows.
    pub async fn load<T>(&mut self, text: &str) -> Vec<T>
    where
        T: QueryableByName<Pg> + QueryableByName<Sqlite> + Send + 'static,
    {
        let query = diesel::sql_query(text);
        let rows = match self {
            Self::Sqlite(connection) => diesel::RunQueryDsl::load(query, &mut **connection),
            Self::Postgres(connection) => diesel_async::RunQueryDsl::load(query, &mut **connection).await,
        };
        rows.unwrap_or_else(|error| panic!("{error}, in {text}"))
    }

    /// Runs statements, separated by semicolons.
    pub async fn execute(&mut self, text: &str) {
        self.attempt(text).await.unwrap_or_else(|error| panic!("{error}, in {text}"));
    }

    /// Runs statements that the database may refuse.
    pub async fn attempt(&mut self, text: &str) -> diesel::QueryResult<()> {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(text),
            Self::Postgres(connection) => connection.batch_execute(text).await,
        }
    }

    /// The one number that a query answers, as a `bigint` called `number`.
    pub async fn number(&mut self, text: &str) -> i64 {
        let rows: Vec<Number> = self.load(text).await;
        assert_eq!(rows.len(), 1, "one row, in {text}");
        rows[0].number
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}
