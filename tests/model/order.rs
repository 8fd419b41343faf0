//! In which order the house decided, read from its rows.

use std::collections::{BTreeMap, VecDeque};

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Nullable, Text},
};

use crate::{
    driver::Driver,
    house::House,
    model::name,
    operation::{ClaimName, Person, RewardName},
};

/// Places of events and refunds in the order of decisions; `{prefix}` is that of the history.
const DECIDED: &str = "SELECT 'event ' || key AS name, decided_no AS place FROM events \
      WHERE decided_no IS NOT NULL AND key LIKE '{prefix}%' \
    UNION ALL SELECT 'refund ' || key, decided_no FROM refunds WHERE decided_no IS NOT NULL AND key LIKE '{prefix}%'";

/// Transfers of the history's people, oldest first; what lapses keeps what was granted, and is no entry.
const TRANSFERS: &str = "SELECT transfers.id AS number, users.external_id AS person, \
      from_account || ' ' || to_account AS way, transfers.amount AS amount, transfers.currency AS currency, \
      events.key AS event_key, rewards.rule_key AS rule, CAST(rewards.level AS bigint) AS level, \
      rewards.amount AS granted, claims.request_key AS claim \
    FROM transfers JOIN users ON users.id = transfers.user_id \
    LEFT JOIN rewards ON rewards.id = transfers.reward_id LEFT JOIN events ON events.id = rewards.event_id \
    LEFT JOIN claims ON claims.id = transfers.claim_id \
    WHERE users.external_id LIKE '{prefix}%' AND transfers.reason <> 'not claimed in time' ORDER BY transfers.id";

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    place: i64,
}

#[derive(QueryableByName)]
struct Transfer {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    person: String,
    #[diesel(sql_type = Text)]
    way: String,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Nullable<Text>)]
    event_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    rule: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    level: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    granted: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    claim: Option<String>,
}

/// One thing that happened to somebody's money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A reward was granted.
    Granted(RewardName),
    /// Some of a reward was taken back, and so much was left of it.
    Left(RewardName, i64),
    /// Rewards were claimed under this key.
    Claimed(String),
    /// A claim was paid, or its payout failed.
    Settled(ClaimName, bool),
}

/// Places in the order of decisions of everything that was decided, by `event KEY` and `refund KEY`.
pub async fn decided(house: &mut House) -> BTreeMap<String, i64> {
    let text = DECIDED.replace("{prefix}", &house.prefixed(""));
    let rows: Vec<Place> = house.sql.load(&text).await;
    rows.into_iter().map(|row| (row.name, row.place)).collect()
}

/// What happened to each person's money after a number of the ledger, in order, and the last number.
pub async fn transfers(driver: &mut Driver<'_>, after: i64) -> (BTreeMap<Person, VecDeque<Entry>>, i64) {
    let text = TRANSFERS.replace("{prefix}", &driver.house.prefixed(""));
    let rows: Vec<Transfer> = driver.house.sql.load(&text).await;
    let people: BTreeMap<String, Person> =
        driver.users.keys().map(|person| (driver.house.prefixed(&name(*person)), *person)).collect();
    let (mut lanes, mut left, mut last) = (BTreeMap::<Person, VecDeque<Entry>>::new(), BTreeMap::new(), after);
    for row in rows {
        let person = people[&row.person];
        let reward = reward(&row, driver);
        // What is left is counted from the beginning, what happened from the number on.
        let entry = match (row.way.split_once(' '), reward) {
            (Some(("ISSUER", _)), Some(name)) => {
                left.insert(name.clone(), row.granted.unwrap_or(0));
                Some(Entry::Granted(name))
            }
            (Some((_, "ISSUER")), Some(name)) => {
                let rest = left.entry(name.clone()).or_default();
                *rest -= row.amount;
                Some(Entry::Left(name, *rest))
            }
            (Some(("AVAILABLE", "CLAIMED")), None) => row.claim.map(Entry::Claimed),
            (Some(("CLAIMED", to)), None) => row.claim.map(|key| {
                let currency = driver.house.currency(&row.currency).code;
                Entry::Settled(ClaimName { person, key, currency }, to == "PAID")
            }),
            _ => None,
        };
        if row.number > after {
            lanes.entry(person).or_default().extend(entry);
        }
        last = last.max(row.number);
    }
    (lanes, last)
}

fn reward(row: &Transfer, driver: &Driver<'_>) -> Option<RewardName> {
    Some(RewardName {
        event_key: driver.house.event_key(row.event_key.as_deref()?),
        rule: row.rule.clone()?,
        level: usize::try_from(row.level?).ok()?,
    })
}
