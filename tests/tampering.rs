//! Somebody changes one amount by SQL, and `verify` names the row.
//!
//! Every row of every table that holds money is tried, one column after the other, by one minor unit; what the database
//! itself refuses in one direction is tried in the other.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

#[path = "tampering/shop.rs"]
mod shop;
mod support;

use banyan::{
    domain::{
        id::{Id, Noun},
        words::ClaimStatus,
    },
    store::BackendKind,
};
use diesel::{QueryableByName, sql_types::Text};
use support::{Harness, Host, each_backend, newcomer};

/// How a difference names a row, given its label.
#[derive(Clone, Copy)]
enum Name {
    /// By its public id; the label is the id in hexadecimal.
    Id(Noun),
    /// As it is, between these.
    Text(&'static str, &'static str),
}

/// A table that holds money. `{hex:x}` stands for the column `x` of ids, in hexadecimal.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    /// What tells its rows apart.
    key: &'static str,
    label: &'static str,
    named: Name,
}

const TABLES: [Table; 10] = [
    Table {
        name: "rewards",
        columns: &["amount", "net", "taken"],
        key: "{hex:id}",
        label: "{hex:id}",
        named: Name::Id(Noun::Reward),
    },
    Table {
        name: "claims",
        columns: &["amount", "netted", "credited"],
        key: "{hex:id}",
        label: "{hex:id}",
        named: Name::Id(Noun::Claim),
    },
    Table {
        name: "accounts",
        columns: &["pending", "available", "withheld", "claimed", "paid", "debt"],
        key: "{hex:user_id}",
        label: "{hex:user_id}",
        named: Name::Id(Noun::User),
    },
    Table {
        name: "transfers",
        columns: &["amount"],
        key: "CAST(id AS text)",
        label: "CAST(id AS text)",
        named: Name::Text("#", " "),
    },
    Table {
        name: "events",
        columns: &["amount", "remaining"],
        key: "{hex:id}",
        label: "{hex:id}",
        named: Name::Id(Noun::Event),
    },
    Table {
        name: "refunds",
        columns: &["amount", "applied"],
        key: "{hex:id}",
        label: "{hex:id}",
        named: Name::Id(Noun::Refund),
    },
    Table {
        name: "caps",
        columns: &["used_count", "used_amount"],
        key: "rule_key || scope",
        label: "scope",
        named: Name::Text("", " from"),
    },
    Table {
        name: "board_deltas",
        columns: &["amount"],
        key: "CAST(id AS text)",
        label: "{hex:user_id}",
        named: Name::Id(Noun::User),
    },
    Table {
        name: "board_scores",
        columns: &["score"],
        key: "metric || period || {hex:program_id} || {hex:user_id}",
        label: "{hex:user_id}",
        named: Name::Id(Noun::User),
    },
    Table {
        name: "board_histogram",
        columns: &["users"],
        key: "metric || period || {hex:program_id} || CAST(bucket AS text)",
        label: "CAST(bucket AS text)",
        named: Name::Text("bucket ", " of the histogram"),
    },
];

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    label: String,
}

impl Table {
    /// One of its expressions as the database at hand spells it.
    fn spell(&self, kind: BackendKind, expression: &str) -> String {
        let (before, after) = match kind {
            BackendKind::Sqlite => ("lower(hex(", "))"),
            BackendKind::Postgres => ("replace(CAST(", " AS text), '-', '')"),
        };
        let mut parts = expression.split("{hex:");
        let mut spelled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (column, rest) = part.split_once('}').unwrap();
            spelled += &format!("{before}{column}{after}{rest}");
        }
        spelled
    }

    fn name_of(&self, row: &Row) -> String {
        match self.named {
            Name::Id(noun) => Id::from_uuid(row.label.parse().unwrap()).typed(noun),
            Name::Text(before, after) => format!("{before}{}{after}", row.label),
        }
    }

    /// Changes every row, one column after the other; gives how many changes were named.
    async fn lie_about_every_row(&self, harness: &Harness) -> usize {
        let (kind, mut sql) = (harness.kind(), harness.sql().await);
        let (key, label) = (self.spell(kind, self.key), self.spell(kind, self.label));
        let mut named = 0;
        for column in self.columns {
            let text = format!(
                "SELECT {key} AS key, {label} AS label FROM {} WHERE {column} IS NOT NULL ORDER BY 1",
                self.name
            );
            let rows: Vec<Row> = sql.load(&text).await;
            for row in &rows {
                let change = |by: i64| {
                    format!("UPDATE {} SET {column} = {column} + {by} WHERE {key} = '{}'", self.name, row.key)
                };
                let Some(by) = first_accepted(&mut sql, [1, -1], change).await else {
                    panic!("the database lets nobody change {}.{column}: {}", self.name, row.key)
                };
                let told = harness.engine().verify().await.unwrap();
                let (place, name) = (format!("{}.{column} {by:+}", self.name), self.name_of(row));
                assert!(told.iter().any(|line| line.contains(&name)), "{place} of {name}: {told:#?}");
                sql.execute(&change(-by)).await;
                named += 1;
            }
        }
        named
    }
}

/// Runs the first of some changes that the constraints let pass, and says which.
async fn first_accepted(sql: &mut support::Sql, by: [i64; 2], change: impl Fn(i64) -> String) -> Option<i64> {
    for by in by {
        if sql.attempt(&change(by)).await.is_ok() {
            return Some(by);
        }
    }
    None
}

#[test]
fn every_amount_that_is_changed_is_named() {
    each_backend(async |harness| {
        shop::has_everything(&harness).await;
        let nothing: [String; 0] = [];
        assert_eq!(harness.engine().verify().await.unwrap(), nothing, "before");
        for table in &TABLES {
            let named = table.lie_about_every_row(&harness).await;
            eprintln!("  {:<16} {named:>4} changes, each named", table.name);
            assert!(named > 0, "{} holds nothing", table.name);
        }
        assert_eq!(harness.engine().verify().await.unwrap(), nothing, "afterwards");
        harness.finish().await;
    });
}

/// Paying back what was netted for a payout that then failed is no difference, whatever becomes of that claim.
#[test]
fn a_credit_is_no_difference() {
    each_backend(async |harness| {
        let (host, ann) = (Host::of(&harness), newcomer(&harness, "ann", None).await);
        let first = shop::customer(&harness, &ann, "ben").await;
        let one = host.claim_only(ann.id, "one", Some(vec![first])).await.unwrap()[0].id;
        for friend in ["cleo", "dan"] {
            shop::customer(&harness, &ann, friend).await;
        }
        host.refund("order of ben", "refund", None).await.unwrap();
        harness.fold_all().await;
        let two = &host.claim(ann.id, "two").await.unwrap()[0];
        assert_eq!((two.amount, two.netted, two.credited), (1_000, 1_000, 0));
        host.settle(one, ClaimStatus::Failed, None).await.unwrap();
        for outcome in [ClaimStatus::Failed, ClaimStatus::Paid] {
            let credit = &host.claim(ann.id, outcome.word()).await.unwrap()[0];
            assert_eq!((credit.amount, credit.netted, credit.credited), (1_000, 0, 1_000));
            assert_eq!(harness.engine().verify().await.unwrap(), [] as [String; 0]);
            host.settle(credit.id, outcome, None).await.unwrap();
            assert_eq!(harness.engine().verify().await.unwrap(), [] as [String; 0], "{}", outcome.word());
        }
        harness.finish().await;
    });
}

/// What is stored and what it should be stands in one line that a person can follow.
#[test]
fn a_difference_says_what_is_stored_and_what_should_be() {
    each_backend(async |harness| {
        shop::has_everything(&harness).await;
        let mut sql = harness.sql().await;
        for (lie, says) in [
            (
                "UPDATE transfers SET amount = amount + 7 WHERE id = 1",
                "granted: stored 2000, computed 2007 minor units",
            ),
            (
                "UPDATE events SET remaining = 6999 WHERE key = 'order-1'",
                "6999 of 10000 minor units are left, should be 7000",
            ),
            ("UPDATE refunds SET applied = 2999 WHERE key = 'refund-1'", "took 2999 minor units of event_"),
            (
                "UPDATE caps SET used_count = 1 WHERE used_amount = 400",
                "1 rewards and 400 minor units are used, the rewards say 4 and 400",
            ),
        ] {
            sql.execute(lie).await;
            let told = harness.engine().verify().await.unwrap();
            assert!(told.iter().any(|line| line.contains(says)), "{lie}: {told:#?}");
            sql.execute(shop::TRUTH).await;
        }
        harness.finish().await;
    });
}
