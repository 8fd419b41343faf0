//! The doors of the store and the guard of a transaction.

use std::time::Duration;

use super::{Backend, Door, Ending, Failure, Store, StoreError, pool, postgres, sqlite};

/// Runs a query function of `store/queries` or of a backend's `bulk` or `load` on whichever database a [`Tx`] belongs to.
///
/// `run!(tx, users::by_id(id))` calls `queries::users::by_id(connection, id)` of the right backend.
macro_rules! run {
    ($tx:expr, bulk::$function:ident ( $($argument:expr),* $(,)? )) => {
        run!(@call $tx, [bulk] $function ($($argument),*))
    };
    ($tx:expr, load::$function:ident ( $($argument:expr),* $(,)? )) => {
        run!(@call $tx, [load] $function ($($argument),*))
    };
    ($tx:expr, $module:ident :: $function:ident ( $($argument:expr),* $(,)? )) => {
        run!(@call $tx, [queries::$module] $function ($($argument),*))
    };
    (@call $tx:expr, [$($path:tt)+] $function:ident ($($argument:expr),*)) => {
        match $tx {
            $crate::store::Tx::Postgres(connection) => {
                $crate::store::postgres::$($path)+::$function(connection, $($argument),*).await
            }
            $crate::store::Tx::Sqlite(connection) => {
                $crate::store::sqlite::$($path)+::$function(connection, $($argument),*).await
            }
        }
        .map_err($crate::store::StoreError::from_driver)
    };
}
pub(crate) use run;

/// How long a transaction may take in all. Statements have limits of their own in the database; this one is for a server
/// or a line that falls silent, where no answer comes and no error either.
const TRANSACTION_LIMIT: Duration = Duration::from_secs(10);
/// The same for a worker, whose statements may take a minute each.
const LONG_WRITE_LIMIT: Duration = Duration::from_secs(120);
/// The same for whoever checks whole tables, in a few statements of up to a minute.
const LONG_SNAPSHOT_LIMIT: Duration = Duration::from_secs(600);
/// How often a write is run again after it lost against another one.
const MAX_ATTEMPTS: u32 = 8;
/// Pause before the second attempt; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// A connection inside one of the doors.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one per running statement, and a box would cost more than it saves"
)]
pub enum Tx {
    /// Of PostgreSQL.
    Postgres(postgres::Loan),
    /// Of SQLite.
    Sqlite(sqlite::Loan),
}

/// An async closure whose future can be sent between threads; see diesel-async's trait of the same name for why the
/// bound cannot be said with `AsyncFn` alone.
pub trait AsyncFunc<A, O>: AsyncFn(A) -> O + Fn(A) -> <Self as AsyncFunc<A, O>>::Fut {
    /// What the closure returns.
    type Fut: Future<Output = O>;
}

impl<F, A, O, Fut> AsyncFunc<A, O> for F
where
    F: AsyncFn(A) -> O + Fn(A) -> Fut,
    Fut: Future<Output = O>,
{
    type Fut = Fut;
}

impl Store {
    /// One statement, outside a transaction.
    pub async fn look<R, E, F>(&self, work: F) -> Result<R, E>
    where
        for<'r> F: AsyncFn(&'r mut Tx) -> Result<R, E> + AsyncFunc<&'r mut Tx, Result<R, E>, Fut: Send> + Send + Sync,
        R: Send,
        E: Failure,
    {
        let mut open = Open(Some(self.borrow(Door::Snapshot).await?));
        let done = self.in_time(Door::Snapshot, work(open.tx())).await?;
        if !done.as_ref().is_err_and(Failure::ends_connection) {
            open.give_back();
        }
        done
    }

    /// Several statements that see one state of the database; they cannot write.
    pub async fn read<R, E, F>(&self, work: F) -> Result<R, E>
    where
        for<'r> F: AsyncFn(&'r mut Tx) -> Result<R, E> + AsyncFunc<&'r mut Tx, Result<R, E>, Fut: Send> + Send + Sync,
        R: Send,
        E: Failure,
    {
        self.attempt(Door::Snapshot, &work).await
    }

    /// The same over whole tables: statements may take up to a minute.
    pub async fn read_long<R, E, F>(&self, work: F) -> Result<R, E>
    where
        for<'r> F: AsyncFn(&'r mut Tx) -> Result<R, E> + AsyncFunc<&'r mut Tx, Result<R, E>, Fut: Send> + Send + Sync,
        R: Send,
        E: Failure,
    {
        self.attempt(Door::LongSnapshot, &work).await
    }

    /// A transaction: all of it or nothing. Run again when it loses against another one, so `work` must not keep
    /// anything from one run to the next.
    pub async fn write<R, E, F>(&self, work: F) -> Result<R, E>
    where
        for<'r> F: AsyncFn(&'r mut Tx) -> Result<R, E> + AsyncFunc<&'r mut Tx, Result<R, E>, Fut: Send> + Send + Sync,
        R: Send,
        E: Failure,
    {
        self.persist(Door::Write, work).await
    }

    /// The same for a worker, whose statements may take up to a minute.
    pub async fn write_long<R, E, F>(&self, work: F) -> Result<R, E>
    where
        for<'r> F: AsyncFn(&'r mut Tx) -> Result<R, E> + AsyncFunc<&'r mut Tx, Result<R, E>, Fut: Send> + Send + Sync,
        R: Send,
        E: Failure,
    {
        self.persist(Door::LongWrite, work).await
    }

    async fn persist<R, E, F>(&self, door: Door, work: F) -> Result<R, E>
    where
        for<'r> F: AsyncFn(&'r mut Tx) -> Result<R, E> + AsyncFunc<&'r mut Tx, Result<R, E>, Fut: Send> + Send + Sync,
        R: Send,
        E: Failure,
    {
        let mut pause = FIRST_PAUSE;
        for _ in 1..MAX_ATTEMPTS {
            match self.attempt(door, &work).await {
                Err(error) if error.is_transient() => tokio::time::sleep(pause).await,
                done => return done,
            }
            pause *= 2;
        }
        self.attempt(door, &work).await
    }

    async fn attempt<R, E, F>(&self, door: Door, work: &F) -> Result<R, E>
    where
        for<'r> F: AsyncFn(&'r mut Tx) -> Result<R, E> + AsyncFunc<&'r mut Tx, Result<R, E>, Fut: Send> + Send + Sync,
        R: Send,
        E: Failure,
    {
        let loan = self.borrow(door).await?;
        let whole = async {
            let mut open = Open::begin(loan, door).await?;
            match work(open.tx()).await {
                Ok(value) => {
                    open.end(Ending::Commit).await?;
                    Ok(value)
                }
                Err(error) if error.ends_connection() => Err(error),
                Err(error) => {
                    open.roll_back().await;
                    Err(error)
                }
            }
        };
        self.in_time(door, whole).await?
    }

    /// Gives work up when no answer comes; whether it was committed is unknown then. A file is asked on this machine, and
    /// always answers.
    async fn in_time<T>(&self, door: Door, work: impl Future<Output = T> + Send) -> Result<T, StoreError> {
        let limit = match (&self.backend, door) {
            (Backend::Sqlite { .. }, _) => return Ok(work.await),
            (Backend::Postgres { .. }, Door::LongWrite) => LONG_WRITE_LIMIT,
            (Backend::Postgres { .. }, Door::LongSnapshot) => LONG_SNAPSHOT_LIMIT,
            (Backend::Postgres { .. }, Door::Snapshot | Door::Write) => TRANSACTION_LIMIT,
        };
        let silent = |_| StoreError::Unavailable(format!("no answer within {} s", limit.as_secs()));
        tokio::time::timeout(limit, work).await.map_err(silent)
    }

    async fn borrow(&self, door: Door) -> Result<Tx, StoreError> {
        match &self.backend {
            Backend::Postgres { pool } => pool.get().await.map(Tx::Postgres).map_err(pool::explain),
            Backend::Sqlite { writer, readers } => {
                let pool = match door {
                    Door::Snapshot | Door::LongSnapshot => readers,
                    Door::Write | Door::LongWrite => writer,
                };
                pool.get().await.map(Tx::Sqlite).map_err(pool::explain)
            }
        }
    }
}

/// A connection that is being used. Dropped unfinished (its task was cancelled, no answer came, the database failed, or
/// ending a transaction did) it is closed instead of given back: only so does SQLite let go of its write lock at once.
struct Open(Option<Tx>);

impl Open {
    async fn begin(tx: Tx, door: Door) -> Result<Self, StoreError> {
        let mut open = Self(Some(tx));
        match open.tx() {
            Tx::Postgres(connection) => postgres::begin(connection, door).await?,
            Tx::Sqlite(connection) => sqlite::begin(connection, door).await?,
        }
        Ok(open)
    }

    #[expect(clippy::expect_used, reason = "the connection is only taken out when the guard itself ends")]
    fn tx(&mut self) -> &mut Tx {
        self.0.as_mut().expect("an open transaction has its connection")
    }

    /// Ends the transaction and gives the connection back.
    async fn end(&mut self, ending: Ending) -> Result<(), StoreError> {
        match self.tx() {
            Tx::Postgres(connection) => postgres::end(connection, ending).await?,
            Tx::Sqlite(connection) => sqlite::end(connection, ending).await?,
        }
        self.give_back();
        Ok(())
    }

    fn give_back(&mut self) {
        drop(self.0.take());
    }

    /// A rollback that fails needs no report: the connection is closed, which rolls back as well.
    async fn roll_back(mut self) {
        if let Err(error) = self.end(Ending::RollBack).await {
            tracing::debug!(%error, "rollback failed, closing the connection");
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        match self.0.take() {
            Some(Tx::Postgres(loan)) => drop(postgres::Loan::take(loan)),
            Some(Tx::Sqlite(loan)) => drop(sqlite::Loan::take(loan)),
            None => {}
        }
    }
}
