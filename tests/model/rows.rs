//! The house, seen in its rows: the same that the API shows, and the ledger besides. It takes a fraction of the time, so
//! it is looked at after every step.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Text},
};
use serde_json::Value;

use crate::{
    house::{House, Seen},
    operation::RewardName,
    seen::{BalanceSeen, ClaimSeen, PersonSeen, RewardSeen},
};

/// Everything about a history's people, one text for both databases; `{prefix}` is theirs, and `{subject}` is whose
/// decisions are wanted.
const ROWS: &str = "SELECT 'person' AS kind, users.external_id AS person, coalesce(above.external_id, '') AS a, '' AS b, \
      '' AS c, CAST(user_totals.completed_1 AS bigint) AS n1, CAST(0 AS bigint) AS n2, CAST(0 AS bigint) AS n3, \
      CAST(0 AS bigint) AS n4, CAST(0 AS bigint) AS n5, CAST(0 AS bigint) AS n6 \
    FROM users JOIN user_totals ON user_totals.user_id = users.id \
    LEFT JOIN referrals ON referrals.referred_id = users.id LEFT JOIN users AS above ON above.id = referrals.referrer_id \
    WHERE users.external_id LIKE '{prefix}%' \
    UNION ALL \
    SELECT 'account', external_id, currency, '', '', pending, available, withheld, claimed, paid, debt \
    FROM users JOIN accounts ON accounts.user_id = users.id WHERE external_id LIKE '{prefix}%' \
    UNION ALL \
    SELECT 'reward', external_id, events.key, rule_key, rewards.status, level, rewards.amount, net, 0, 0, 0 \
    FROM users JOIN rewards ON rewards.user_id = users.id JOIN events ON events.id = rewards.event_id \
    WHERE external_id LIKE '{prefix}%' \
    UNION ALL \
    SELECT 'claim', external_id, currency, claims.status, '', amount, netted, credited, 0, 0, 0 \
    FROM users JOIN claims ON claims.user_id = users.id WHERE external_id LIKE '{prefix}%' \
    UNION ALL \
    SELECT 'event', external_id, key, coalesce(decisions, '{}'), '', 0, 0, 0, 0, 0, 0 \
    FROM users JOIN events ON events.user_id = users.id WHERE external_id = '{subject}' \
    UNION ALL \
    SELECT 'booked', external_id, currency, account, '', CAST(sum(amount) AS bigint), 0, 0, 0, 0, 0 FROM ( \
      SELECT external_id, currency, to_account AS account, amount FROM users \
        JOIN transfers ON transfers.user_id = users.id WHERE external_id LIKE '{prefix}%' \
      UNION ALL \
      SELECT external_id, currency, from_account, -amount FROM users \
        JOIN transfers ON transfers.user_id = users.id WHERE external_id LIKE '{prefix}%') AS sides \
    WHERE account <> 'ISSUER' GROUP BY external_id, currency, account";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    person: String,
    #[diesel(sql_type = Text)]
    a: String,
    #[diesel(sql_type = Text)]
    b: String,
    #[diesel(sql_type = Text)]
    c: String,
    #[diesel(sql_type = BigInt)]
    n1: i64,
    #[diesel(sql_type = BigInt)]
    n2: i64,
    #[diesel(sql_type = BigInt)]
    n3: i64,
    #[diesel(sql_type = BigInt)]
    n4: i64,
    #[diesel(sql_type = BigInt)]
    n5: i64,
    #[diesel(sql_type = BigInt)]
    n6: i64,
}

impl House {
    /// Looks at everybody's rows, and at what was decided about the events of one of them.
    pub async fn rows(&mut self, decided: Option<&str>) -> Seen {
        let subject = decided.map_or_else(String::new, |person| self.prefixed(person));
        let text = ROWS.replace("{prefix}", &self.prefixed("")).replace("{subject}", &subject);
        let rows: Vec<Row> = self.sql.load(&text).await;
        let mut people: BTreeMap<String, PersonSeen> = BTreeMap::new();
        let (mut booked, mut decisions) = (BTreeSet::new(), BTreeSet::new());
        for row in rows {
            let name = self.plain(&row.person);
            let person = people.entry(name.clone()).or_default();
            match row.kind.as_str() {
                "person" => {
                    person.referrer = (!row.a.is_empty()).then(|| self.plain(&row.a));
                    person.completed = usize::try_from(row.n1).expect("a count");
                }
                "account" => drop(person.balances.insert(row.a.clone(), balance(&row))),
                "reward" => drop(person.rewards.insert(self.reward(row))),
                "claim" => person.claims.push(claim(row)),
                "event" => self.decided(&row, &mut decisions),
                "booked" if row.n1 != 0 => drop(booked.insert((name, row.a, row.b, row.n1))),
                _ => {}
            }
        }
        people.values_mut().for_each(|person| person.claims.sort());
        Seen { people, reward_ids: BTreeMap::new(), booked: Some(booked), decisions }
    }

    fn reward(&self, row: Row) -> RewardSeen {
        let level = usize::try_from(row.n1).expect("a level");
        let name = RewardName { event_key: self.event_key(&row.a), rule: row.b, level };
        RewardSeen { name, amount: row.n2, net: row.n3, status: row.c }
    }

    /// Decisions are stored by rule and level.
    fn decided(&self, row: &Row, decisions: &mut BTreeSet<(String, String, bool)>) {
        let stored: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(&row.b).expect("decisions");
        for (rule, levels) in stored {
            for decision in levels.values() {
                decisions.insert((self.event_key(&row.a), rule.clone(), decision == "GRANTED"));
            }
        }
    }
}

/// As it is shown: what is owed to somebody is available to them.
fn balance(row: &Row) -> BalanceSeen {
    let (owed, credit) = (row.n6.max(0), (-row.n6).max(0));
    BalanceSeen {
        pending: row.n1,
        available: row.n2 + credit,
        withheld: row.n3,
        claimed: row.n4,
        paid: row.n5,
        debt: owed,
    }
}

fn claim(row: Row) -> ClaimSeen {
    let unless_failed = |amount: i64| if row.b == "FAILED" { 0 } else { amount };
    let (netted, credited) = (unless_failed(row.n2), unless_failed(row.n3));
    ClaimSeen { currency: row.a, amount: row.n1, netted, credited, status: row.b }
}
