//! Who may see and do what, as data: `matrix.md` says for every field of the schema and every caller what a request gives,
//! and here every one of its cells is asked for, in a house where there is something to be seen everywhere.
//!
//! | file | what it is |
//! | --- | --- |
//! | `matrix.md` | the matrix: ways to reach things, and what callers are given |
//! | `matrix`, `column`, `cell` | reading it: tables, callers, what a cell says |
//! | `schema` | the schema, walked field by field |
//! | `ask` | one way, asked as one caller |
//! | `house`, `cast`, `happenings` | a house full of people, money and trouble |
//! | `every_cell` | nothing is left out of the matrix, and every cell is true |
//! | `canaries`, `crawl` | everything that somebody can walk to, and what must never be found there |
//! | `ids`, `cursors` | other people's ids and cursors open nothing, and do not tell that they are there |
//! | `walks` | tours by which somebody else's record could be reached |
//! | `tokens`, `watching` | suspended and erased people, and who watches while that changes |
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod ask;
mod canaries;
mod cast;
mod cell;
mod column;
mod crawl;
mod cursors;
mod every_cell;
mod happenings;
mod house;
mod ids;
mod matrix;
mod schema;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod walks;
mod watching;
