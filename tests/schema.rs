//! `src/store/schema.rs` says what both databases have: every table, every column, both ways; and every migration can
//! be undone.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

#[path = "schema/declared.rs"]
mod declared;
mod support;

use std::{collections::BTreeMap, fs, path::Path};

use banyan::store::{BackendKind, PoolSettings, Store, sql_types};
use declared::{Column, Tables};
use diesel::{Connection as _, QueryableByName, SqliteConnection};
use diesel_async::{AsyncConnection as _, AsyncMigrationHarness, AsyncPgConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use support::{Database, Sql};

/// Tables of the migrations themselves, and of SQLite.
const NOT_OURS: [&str; 3] = ["__diesel_schema_migrations", "migration_lock", "sqlite_sequence"];

/// Types as `schema.rs`, PostgreSQL and SQLite name them.
const KINDS: [(&str, &str, &str); 7] = [
    ("Uuid", "uuid", "BLOB"),
    ("Timestamptz", "timestamp with time zone", "BIGINT"),
    ("Int8", "bigint", "BIGINT"),
    ("Int4", "integer", "INTEGER"),
    ("Text", "text", "TEXT"),
    ("Bytea", "bytea", "BLOB"),
    ("Bool", "boolean", "BOOLEAN"),
];

const POSTGRES_COLUMNS: &str = "SELECT c.table_name::text AS table_name, c.column_name::text AS column_name, \
      c.data_type::text AS declared, c.is_nullable = 'YES' AS nullable, COALESCE(array_position( \
        (SELECT i.indkey::int2[] FROM pg_index AS i \
          WHERE i.indrelid = a.attrelid AND i.indisprimary), a.attnum) + 1, 0) AS key_place \
    FROM information_schema.columns AS c JOIN pg_attribute AS a \
      ON a.attrelid = c.table_name::regclass AND a.attname = c.column_name \
    WHERE c.table_schema = 'public' ORDER BY c.table_name, c.ordinal_position";

const SQLITE_COLUMNS: &str = "SELECT t.name AS table_name, c.name AS column_name, upper(c.type) AS declared, \
      NOT (c.\"notnull\" OR c.pk > 0) AS nullable, c.pk AS key_place \
    FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table' ORDER BY t.name, c.cid";

/// SQLite's keys of rows: their type is spelled `INTEGER`, and they have 64 bits.
const SQLITE_ROW_KEYS: &str = "SELECT name AS table_name, '' AS column_name, '' AS declared, FALSE AS nullable, \
    0 AS key_place FROM sqlite_master WHERE type = 'table' AND sql LIKE '%INTEGER PRIMARY KEY AUTOINCREMENT%'";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = sql_types::Text)]
    table_name: String,
    #[diesel(sql_type = sql_types::Text)]
    column_name: String,
    #[diesel(sql_type = sql_types::Text)]
    declared: String,
    #[diesel(sql_type = sql_types::Bool)]
    nullable: bool,
    #[diesel(sql_type = sql_types::Int4)]
    key_place: i32,
}

#[test]
fn the_schema_is_what_sqlite_has() {
    compares_with(BackendKind::Sqlite);
}

#[test]
fn the_schema_is_what_postgres_has() {
    compares_with(BackendKind::Postgres);
}

fn compares_with(kind: BackendKind) {
    let Some(database) = Database::fresh(kind) else { return };
    let found = runtime().block_on(async {
        migrate(&database).await;
        tables_of(&database).await
    });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/schema.rs");
    let declared = declared::tables(&fs::read_to_string(file).unwrap());
    assert!(declared.len() > 20, "the tables were read");
    let differences = differences(&declared, &found);
    assert!(differences.is_empty(), "schema.rs and {kind:?} differ:\n{}", differences.join("\n"));
}

#[test]
fn what_sqlite_migrated_can_be_undone() {
    undoes(BackendKind::Sqlite);
}

#[test]
fn what_postgres_migrated_can_be_undone() {
    undoes(BackendKind::Postgres);
}

fn undoes(kind: BackendKind) {
    let Some(database) = Database::fresh(kind) else { return };
    runtime().block_on(async {
        migrate(&database).await;
        revert(&database).await;
        let left: Vec<String> = tables_of(&database).await.into_keys().collect();
        assert!(left.is_empty(), "tables that are left on {kind:?}: {left:?}");
        if kind == BackendKind::Postgres {
            let mut sql = Sql::connect(&database.url()).await;
            let sequences = "SELECT count(*) AS number FROM information_schema.sequences";
            assert_eq!(sql.number(sequences).await, 0, "sequences that are left");
        }
        migrate(&database).await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

async fn migrate(database: &Database) {
    let store = Store::open(&database.url(), &PoolSettings::default()).unwrap();
    assert!(store.migrate().await.unwrap() > 0, "there was something to migrate");
}

async fn revert(database: &Database) {
    let url = database.url();
    let migrations = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(name);
        FileBasedMigrations::from_path(folder).unwrap()
    };
    match url.strip_prefix("sqlite://") {
        Some(path) => {
            let mut connection = SqliteConnection::establish(path).unwrap();
            connection.revert_all_migrations(migrations("sqlite")).unwrap();
        }
        None => {
            let connection = AsyncPgConnection::establish(&url).await.unwrap();
            let migrations = migrations("postgres");
            let work = move || AsyncMigrationHarness::new(connection).revert_all_migrations(migrations).map(drop);
            tokio::task::spawn_blocking(move || work().unwrap()).await.unwrap();
        }
    }
}

async fn tables_of(database: &Database) -> Tables {
    let mut sql = Sql::connect(&database.url()).await;
    let (columns, row_keys) = match database.kind() {
        BackendKind::Postgres => (POSTGRES_COLUMNS, Vec::new()),
        BackendKind::Sqlite => (SQLITE_COLUMNS, sql.load::<Found>(SQLITE_ROW_KEYS).await),
    };
    let mut tables = Tables::new();
    for row in sql.load::<Found>(columns).await.into_iter().filter(|row| !NOT_OURS.contains(&row.table_name.as_str())) {
        let is_row_key = row.key_place == 1 && row_keys.iter().any(|key| key.table_name == row.table_name);
        let declared = if is_row_key { "BIGINT" } else { &row.declared };
        let place = usize::try_from(row.key_place).unwrap();
        let column = Column { kind: declared.to_owned(), nullable: row.nullable, key_place: place };
        tables.entry(row.table_name).or_default().insert(row.column_name, column);
    }
    tables
}

/// What is missing or other on either side, by name.
fn differences(declared: &Tables, found: &Tables) -> Vec<String> {
    let mut differences = Vec::new();
    let empty = BTreeMap::new();
    let names: std::collections::BTreeSet<_> = declared.keys().chain(found.keys()).collect();
    for table in names {
        let (says, has) = (declared.get(table).unwrap_or(&empty), found.get(table).unwrap_or(&empty));
        for (column, says) in says {
            match has.get(column) {
                None => differences.push(format!("{table}.{column} is not in the database")),
                Some(has) if !says.agrees(has) => differences.push(format!("{table}.{column}: {says:?}, but {has:?}")),
                Some(_) => {}
            }
        }
        let unsaid = has.keys().filter(|column| !says.contains_key(*column));
        differences.extend(unsaid.map(|column| format!("{table}.{column} is not in schema.rs")));
    }
    differences
}

impl Column {
    /// Whether a column of a database is the one that was declared.
    fn agrees(&self, has: &Self) -> bool {
        let kind = KINDS
            .iter()
            .any(|(ours, postgres, sqlite)| *ours == self.kind && (*postgres == has.kind || *sqlite == has.kind));
        kind && self.nullable == has.nullable && self.key_place == has.key_place
    }
}

#[test]
fn a_difference_is_told_by_name() {
    let declared = declared::tables(
        "diesel::table! {\n use x::*;\n /// A shelf.\n books (shelf, place) {\n shelf -> Uuid,\n place -> Int4,\n \
         #[sql_name = \"type\"]\n kind -> Nullable<Text>,\n title -> Text,\n }\n}",
    );
    let column = |kind: &str, nullable, key_place| Column { kind: kind.to_owned(), nullable, key_place };
    let mut books = BTreeMap::from([
        ("shelf".to_owned(), column("uuid", false, 1)),
        ("place".to_owned(), column("integer", false, 2)),
        ("type".to_owned(), column("text", true, 0)),
        ("title".to_owned(), column("text", false, 0)),
    ]);
    let of = |books: &BTreeMap<String, Column>| Tables::from([("books".to_owned(), books.clone())]);
    assert_eq!(differences(&declared, &of(&books)), [""; 0]);

    books.insert("title".to_owned(), column("text", true, 0));
    books.insert("place".to_owned(), column("integer", false, 0));
    books.insert("shelf".to_owned(), column("bigint", false, 1));
    books.remove("type");
    books.insert("pages".to_owned(), column("integer", true, 0));
    let told = differences(&declared, &of(&books)).join("\n");
    for name in ["books.title", "books.place", "books.shelf", "books.type is not in", "books.pages is not in"] {
        assert!(told.contains(name), "{name} in {told}");
    }
    assert_eq!(differences(&declared, &Tables::new()).len(), 4, "a table that is missing");
}
