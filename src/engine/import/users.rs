//! `import users`: people, their codes, and who brought them in.

use std::{
    collections::VecDeque,
    io::Read,
    time::{Duration, Instant},
};

use super::{
    people::Fate,
    report::{ImportError, Progress, Reporter, Summary},
    table::{Line, Lines},
    user_row::{USER_COLUMNS, UserRow},
    waiting::{WAITING_MAX, Waiting},
};
use crate::{
    domain::id::Id,
    engine::{Engine, Error, pace::Pace},
    store::{Tx, run},
};

/// How long one chunk should hold SQLite's write lock.
const CHUNK_TARGET: Duration = Duration::from_millis(50);
/// Referrers that are looked up at once.
const LOOK_UP_ROWS: usize = 1_000;

impl Engine {
    /// Imports people from a CSV file with the columns [`USER_COLUMNS`], and counts them.
    ///
    /// Rows may come in any order. A person who is there already is left as they are, whatever the row says. Nothing is
    /// paid and no event is written. Referrals belong to the default program.
    pub async fn import_users(
        &self,
        source: impl Read + Send + 'static,
        progress: &dyn Progress,
    ) -> Result<Summary, ImportError> {
        let started = Instant::now();
        let mut reporter = Reporter::new(progress);
        let program = self.store.look(async |tx: &mut Tx| self.default_program(tx).await).await?.id;
        let now = self.context.now();
        let lines = Lines::read(source, &USER_COLUMNS, move |cells| UserRow::parse(cells, now));
        let pace = Pace::importing(self.store.kind(), CHUNK_TARGET);
        let mut import =
            Import { engine: self, program, lines, pace, waiting: Waiting::default(), ready: VecDeque::new() };
        let outcome = import.run(&mut reporter).await;
        // What is in by now is counted even when the file turned out to be broken further down.
        let refresh = async |tx: &mut Tx| run!(tx, load::refresh_statistics()).map_err(Error::from);
        self.store.write_long(refresh).await?;
        self.count_all_imported(&mut reporter).await?;
        self.store.write_long(refresh).await?;
        outcome?;
        Ok(Summary { tally: reporter.tally, took: started.elapsed() })
    }
}

struct Import<'a> {
    engine: &'a Engine,
    program: Id,
    lines: Lines<UserRow>,
    pace: Pace,
    waiting: Waiting,
    /// Rows that waited and need not any more.
    ready: VecDeque<Line<UserRow>>,
}

impl Import<'_> {
    async fn run(&mut self, reporter: &mut Reporter<'_>) -> Result<(), ImportError> {
        loop {
            let chunk = self.gather(reporter).await?;
            if !chunk.is_empty() {
                self.write(chunk, reporter).await?;
            } else if !self.revive().await? {
                break;
            }
            reporter.tell();
        }
        self.waiting.explain().into_iter().for_each(|bad| reporter.bad(bad.line, bad.reason));
        Ok(())
    }

    /// The rows of the next chunk; nothing at the end of the file. A row brings those that wait for it along: a chain that
    /// stands the wrong way round in the file takes full chunks, not one for each of its members.
    async fn gather(&mut self, reporter: &mut Reporter<'_>) -> Result<Vec<Line<UserRow>>, ImportError> {
        let limit = self.pace.rows();
        let mut chunk = Vec::with_capacity(limit);
        while chunk.len() < limit {
            let Some(first) = self.next(reporter).await? else { break };
            let mut due = vec![first];
            while chunk.len() < limit
                && let Some(line) = due.pop()
            {
                due.extend(self.waiting.take(&line.row.external_id));
                chunk.push(line);
            }
            self.ready.extend(due);
        }
        Ok(chunk)
    }

    /// The next good row: one that waited, or else one of the file.
    async fn next(&mut self, reporter: &mut Reporter<'_>) -> Result<Option<Line<UserRow>>, ImportError> {
        if let Some(line) = self.ready.pop_front() {
            return Ok(Some(line));
        }
        while let Some(Line { number, row }) = self.lines.next().await? {
            reporter.tally.rows += 1;
            reporter.tally.bytes = self.lines.bytes;
            match row {
                Ok(row) => return Ok(Some(Line { number, row })),
                Err(reason) => reporter.bad(number, reason),
            }
        }
        Ok(None)
    }

    async fn write(&mut self, chunk: Vec<Line<UserRow>>, reporter: &mut Reporter<'_>) -> Result<(), ImportError> {
        let (engine, program, lines) = (self.engine, self.program, &chunk);
        let write = async |tx: &mut Tx| {
            let locked_at = Instant::now();
            Ok::<_, Error>((engine.import_people(tx, program, lines).await?, locked_at))
        };
        let (fates, locked_at) = engine.store.write_long(write).await?;
        self.pace.learn(chunk.len(), locked_at.elapsed());
        for (line, fate) in chunk.into_iter().zip(fates) {
            match fate {
                Fate::Imported => reporter.tally.imported += 1,
                Fate::AlreadyThere => reporter.tally.already_there += 1,
                Fate::Bad(reason) => reporter.bad(line.number, reason),
                Fate::Waits => {
                    let full = || format!("{WAITING_MAX} rows wait for their referrers; import the file again");
                    self.waiting.keep(line).unwrap_or_else(|line| reporter.bad(line.number, full()));
                }
            }
        }
        self.pace.rest().await;
        Ok(())
    }

    /// After the end of the file: makes ready who waits for somebody who came by another way meanwhile, if there is any.
    async fn revive(&mut self) -> Result<bool, ImportError> {
        for referrers in self.waiting.referrers().chunks(LOOK_UP_ROWS) {
            let look =
                async |tx: &mut Tx| run!(tx, users::ids_by_external_ids(referrers.to_vec())).map_err(Error::from);
            for (referrer, _) in self.engine.store.look(look).await? {
                self.ready.extend(self.waiting.take(&referrer));
            }
        }
        Ok(!self.ready.is_empty())
    }
}
