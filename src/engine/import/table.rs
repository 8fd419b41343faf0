//! CSV files: columns by name, cells as text, rows that cannot eat the memory.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::ByteRecord;
use tokio::{sync::mpsc, task::JoinHandle};

use super::report::ImportError;

/// Bytes that one row may have; an unclosed quote would make the rest of the file one row.
const ROW_MAX_BYTES: u64 = 1 << 20;
/// Rows that are handed over at once.
const BATCH_ROWS: usize = 1_000;
/// Batches that wait to be taken.
const BATCHES_AHEAD: usize = 4;
/// Most characters of a bad cell that a message repeats.
const SHOWN_CHARS: usize = 40;

/// The columns that a file may have.
#[derive(Debug)]
pub struct Columns {
    /// Their names; a cell is asked for by its place in this list.
    pub names: &'static [&'static str],
    /// How many of them, from the first on, a file must have.
    pub required: usize,
}

/// One row of a file, or what is wrong with it.
#[derive(Debug)]
pub(super) struct Line<T> {
    /// Where it begins.
    pub(super) number: u64,
    /// What it says.
    pub(super) row: T,
}

/// Rows as they come out of the file.
type Parsed<T> = Line<Result<T, String>>;

struct Batch<T> {
    lines: Vec<Parsed<T>>,
    bytes: u64,
}

/// The rows of a file, read ahead by a thread of its own.
pub(super) struct Lines<T> {
    batches: mpsc::Receiver<Result<Batch<T>, ImportError>>,
    /// The reading thread; awaited once, lest a file whose reader died looks like one that ended.
    reader: Option<JoinHandle<()>>,
    current: std::vec::IntoIter<Parsed<T>>,
    /// Bytes of the file that were taken over so far.
    pub(super) bytes: u64,
}

impl<T: Send + 'static> Lines<T> {
    /// Reads `source` row by row; `parse` makes each row what it means or says why it is bad.
    pub(super) fn read(
        source: impl Read + Send + 'static,
        columns: &'static Columns,
        parse: impl Fn(&Cells<'_>) -> Result<T, String> + Send + 'static,
    ) -> Self {
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let reader = tokio::task::spawn_blocking(move || {
            if let Err(error) = pump(source, columns, parse, &sender) {
                // Nobody is there to be told when the import ended before its file did.
                let _gone = sender.blocking_send(Err(error));
            }
        });
        Self { batches, reader: Some(reader), current: Vec::new().into_iter(), bytes: 0 }
    }

    /// The next row; nothing at the end of the file.
    pub(super) async fn next(&mut self) -> Result<Option<Parsed<T>>, ImportError> {
        loop {
            if let Some(line) = self.current.next() {
                return Ok(Some(line));
            }
            let Some(batch) = self.batches.recv().await else { return self.end().await };
            let batch = batch?;
            self.bytes = batch.bytes;
            self.current = batch.lines.into_iter();
        }
    }

    async fn end(&mut self) -> Result<Option<Parsed<T>>, ImportError> {
        let Some(reader) = self.reader.take() else { return Ok(None) };
        reader.await.map(|()| None).map_err(|error| ImportError::Unreadable(error.to_string()))
    }
}

/// The cells of one row.
pub(super) struct Cells<'a> {
    record: &'a ByteRecord,
    columns: &'static Columns,
    places: &'a [Option<usize>],
}

impl<'a> Cells<'a> {
    /// The text of a column, by its place in [`Columns::names`]; nothing when it is blank.
    pub(super) fn get(&self, column: usize) -> Result<Option<&'a str>, String> {
        let bytes = self.places[column].and_then(|place| self.record.get(place)).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", self.columns.names[column]))?;
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }

    /// The text of a column that must not be blank.
    pub(super) fn need(&self, column: usize) -> Result<&'a str, String> {
        self.get(column)?.ok_or_else(|| format!("{} is missing", self.columns.names[column]))
    }
}

/// A cell as messages repeat it.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

fn pump<T>(
    source: impl Read,
    columns: &'static Columns,
    parse: impl Fn(&Cells<'_>) -> Result<T, String>,
    sender: &mpsc::Sender<Result<Batch<T>, ImportError>>,
) -> Result<(), ImportError> {
    let left = Arc::new(AtomicU64::new(ROW_MAX_BYTES));
    let source = Leash { source, left: left.clone(), ended_line: true };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
    let header = reader.byte_headers().map_err(|error| unreadable(1, &error))?.clone();
    let places = find_columns(&header, columns)?;
    let (mut record, mut lines) = (ByteRecord::new(), Vec::with_capacity(BATCH_ROWS));
    loop {
        left.store(ROW_MAX_BYTES, Ordering::Relaxed);
        let begins = reader.position().line();
        let more = reader.read_byte_record(&mut record).map_err(|error| unreadable(begins, &error))?;
        if more {
            let number = begins_on(reader.position().line(), &record);
            let cells = Cells { record: &record, columns, places: &places };
            let row = if record.len() == header.len() {
                parse(&cells)
            } else {
                Err(format!("has {} columns where the header has {}", record.len(), header.len()))
            };
            lines.push(Line { number, row });
        }
        if lines.len() == BATCH_ROWS || !more {
            let batch = Batch { lines: std::mem::take(&mut lines), bytes: reader.position().byte() };
            if sender.blocking_send(Ok(batch)).is_err() || !more {
                return Ok(());
            }
        }
    }
}

fn unreadable(line: u64, error: &csv::Error) -> ImportError {
    ImportError::Unreadable(format!("line {line}: {error}"))
}

/// Where each column stands in the file.
fn find_columns(header: &ByteRecord, columns: &'static Columns) -> Result<Vec<Option<usize>>, ImportError> {
    let mut places = vec![None; columns.names.len()];
    for (place, name) in header.iter().enumerate() {
        let name = String::from_utf8_lossy(name.trim_ascii());
        let Some(column) = columns.names.iter().position(|known| *known == name) else {
            let known = columns.names.join(", ");
            return Err(ImportError::Header(format!("unknown column `{}`; known are {known}", shown(&name))));
        };
        if places[column].replace(place).is_some() {
            return Err(ImportError::Header(format!("the column {name} is there twice")));
        }
    }
    match places.iter().take(columns.required).position(Option::is_none) {
        Some(missing) => Err(ImportError::Header(format!("the column {} is missing", columns.names[missing]))),
        None => Ok(places),
    }
}

/// A reader that stops when one row takes more bytes than it may.
struct Leash<R> {
    source: R,
    left: Arc<AtomicU64>,
    ended_line: bool,
}

/// The line that a record begins on, from the line that the reader is on behind it. The reader's own positions are those
/// before blank lines.
fn begins_on(behind: u64, record: &ByteRecord) -> u64 {
    let inside = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
    behind.saturating_sub(inside + 1)
}

/// Lines end with a line feed, whatever the file does: carriage returns are left out, a last line feed is added where it
/// is missing. So every record ends exactly one line.
impl<R: Read> Read for Leash<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.left.load(Ordering::Relaxed);
            if left == 0 {
                let message = format!("a row has more than {ROW_MAX_BYTES} bytes; is a quote not closed?");
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            let read = self.source.read(buffer)?;
            self.left.store(left.saturating_sub(read as u64), Ordering::Relaxed);
            if read == 0 {
                return Ok(self.end_last_line(buffer));
            }
            let kept = without_carriage_returns(&mut buffer[..read]);
            if kept > 0 {
                self.ended_line = buffer[kept - 1] == b'\n';
                return Ok(kept);
            }
        }
    }
}

impl<R> Leash<R> {
    fn end_last_line(&mut self, buffer: &mut [u8]) -> usize {
        if self.ended_line || buffer.is_empty() {
            return 0;
        }
        self.ended_line = true;
        buffer[0] = b'\n';
        1
    }
}

fn without_carriage_returns(bytes: &mut [u8]) -> usize {
    let mut kept = 0;
    for place in 0..bytes.len() {
        if bytes[place] != b'\r' {
            bytes[kept] = bytes[place];
            kept += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    static PETS: Columns = Columns { names: &["name", "legs"], required: 1 };

    async fn read(file: impl Into<Vec<u8>>) -> Result<Vec<String>, String> {
        let parse = |cells: &Cells<'_>| Ok(format!("{} {}", cells.need(0)?, cells.get(1)?.unwrap_or("?")));
        let mut lines = Lines::read(io::Cursor::new(file.into()), &PETS, parse);
        let mut told = Vec::new();
        while let Some(line) = lines.next().await.map_err(|error| error.to_string())? {
            told.push(format!("{}: {}", line.number, line.row.unwrap_or_else(|bad| format!("bad, {bad}"))));
        }
        Ok(told)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn columns_go_by_name() {
        let told = read("\u{feff}legs, name\r\n4,cat\r\n,fish\r\n\r\n2,\"owl, \"\"the\"\" wise\"\r\n").await.unwrap();
        assert_eq!(told, ["2: cat 4", "3: fish ?", "5: owl, \"the\" wise 2"]);
        assert_eq!(read("name\ncat\n").await.unwrap(), ["2: cat ?"]);
        assert!(read("name\n").await.unwrap().is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_bad_header_is_refused_as_a_whole() {
        assert_eq!(read("name,wings\n").await.unwrap_err(), "unknown column `wings`; known are name, legs");
        assert_eq!(read("name,name\n").await.unwrap_err(), "the column name is there twice");
        assert_eq!(read("legs\n4\n").await.unwrap_err(), "the column name is missing");
        assert_eq!(read("").await.unwrap_err(), "the column name is missing");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_bad_row_is_told_by_its_line() {
        let told = read(b"name,legs\ncat,4,5\n ,4\nc\xffat,4\n\"a\nb\",1\nowl,2\n".as_slice()).await.unwrap();
        let columns = "bad, has 3 columns where the header has 2";
        let expected =
            [&format!("2: {columns}"), "3: bad, name is missing", "4: bad, name is not UTF-8", "5: a\nb 1", "7: owl 2"];
        assert_eq!(told, expected);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_unclosed_quote_does_not_eat_the_memory() {
        let file = format!("name,legs\ncat,4\n\"{}", "owl,2\n".repeat(1_000_000));
        let says = read(file).await.unwrap_err();
        assert!(says.contains("line 3") && says.contains("is a quote not closed?"), "{says}");
    }
}
