//! Looking for words in the files of a database, past the database: what it gives back is not all that is there.

use std::{fs, time::Duration};

use banyan::store::BackendKind;
use tokio::time::sleep;

use crate::support::{Harness, Sql};

/// An SQLite database is a file, its log, and an index of the log.
const FILES: [&str; 3] = ["", "-wal", "-shm"];
/// How often files are looked at again, and the pause before.
const ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// A connection of the test's own that leaves no bytes behind of what it changes, as those of the house.
pub async fn tidy_sql(harness: &Harness) -> Sql {
    let mut sql = harness.sql().await;
    if harness.kind() == BackendKind::Sqlite {
        sql.execute("PRAGMA secure_delete = ON").await;
    }
    sql
}

/// Which of these words stand in the files of an SQLite database, whatever their case. Hashes are given in hexadecimal
/// digits, and looked for as they are stored. PostgreSQL writes over nothing before its next vacuum: no words there.
pub fn in_files(harness: &Harness, words: &[String]) -> Vec<String> {
    let url = harness.database_url();
    let Some(path) = url.strip_prefix("sqlite://") else { return Vec::new() };
    let mut found = Vec::new();
    for file in FILES {
        // There is no log where everything is in the file.
        let Ok(bytes) = fs::read(format!("{path}{file}")) else { continue };
        let lower = bytes.to_ascii_lowercase();
        let is_there = |word: &&String| match bytes_of_hash(word) {
            Some(hash) => stands_in(&bytes, &hash),
            None => stands_in(&lower, word.to_lowercase().as_bytes()),
        };
        found.extend(words.iter().filter(is_there).map(|word| format!("banyan.db{file}: `{word}`")));
    }
    found
}

/// The same in a while: while somebody reads from the log it stays, and it is the next purge that empties it.
pub async fn left_in_files(harness: &Harness, words: &[String]) -> Vec<String> {
    for _ in 0..ATTEMPTS {
        if in_files(harness, words).is_empty() {
            break;
        }
        sleep(PAUSE).await;
        harness.engine().purge().await.unwrap();
    }
    in_files(harness, words)
}

fn stands_in(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// The bytes of a hash that is given as 64 digits.
fn bytes_of_hash(word: &str) -> Option<Vec<u8>> {
    let digits = word.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    let bytes: Option<Vec<u8>> = digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
    bytes.filter(|bytes| word.len() == 64 && bytes.len() == 32)
}
