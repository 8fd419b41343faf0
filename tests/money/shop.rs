//! A shop whose customers bring in customers.

use banyan::{
    domain::{id::Id, program::Definition, words::ClaimStatus},
    store::{models, sql_types::Uuid},
};
use diesel::{QueryableByName, sql_types::Text};
use serde_json::{Value, json};

use crate::support::{Deed, Harness, Host, Person, Purse, newcomer};

/// A shop, and Ann, its first customer.
pub struct Shop {
    pub harness: Harness,
    pub host: Host,
    pub ann: Person,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct RowId {
    #[diesel(sql_type = Uuid)]
    id: Id,
}

impl Shop {
    pub async fn open(harness: Harness) -> Self {
        let (host, ann) = (Host::of(&harness), newcomer(&harness, "ann", None).await);
        Self { harness, host, ann }
    }

    /// Somebody whom Ann brings in.
    pub async fn friend(&self, name: &str) -> Person {
        newcomer(&self.harness, name, Some(&self.ann)).await
    }

    /// Somebody whom Ann brings in, and who buys something for 100.00 at once.
    pub async fn customer(&self, name: &str) -> Person {
        let friend = self.friend(name).await;
        self.buys(name, &format!("order of {name}"), "100.00").await;
        friend
    }

    pub async fn buys(&self, name: &str, key: &str, dollars: &str) {
        assert!(self.host.buy(name, key, dollars).await.expect("buys").created);
        self.settled().await;
    }

    /// A refund that is accepted.
    pub async fn refunds(&self, event_key: &str, key: &str, dollars: Option<&str>) {
        assert!(self.host.refund(event_key, key, dollars).await.expect("refunds").created);
        self.settled().await;
    }

    /// Ann claims all she can.
    pub async fn ann_claims(&self, key: &str) -> Deed<models::Claim> {
        let claims = self.host.claim(self.ann.id, key).await;
        self.settled().await;
        claims.map(|mut claims| {
            assert_eq!(claims.len(), 1, "one claim for one currency");
            claims.remove(0)
        })
    }

    pub async fn settles(&self, claim: Id, outcome: ClaimStatus, reference: Option<&str>) -> Deed<models::Claim> {
        let settled = self.host.settle(claim, outcome, reference).await;
        self.settled().await;
        settled
    }

    /// Claims that wait for their payout.
    pub async fn open_claims(&self) -> Vec<Id> {
        let text = "SELECT id FROM claims WHERE status = 'REQUESTED' ORDER BY id";
        self.harness.sql().await.load::<RowId>(text).await.into_iter().map(|row| row.id).collect()
    }

    /// Everything is folded, and the ledger balances after every step.
    pub async fn settled(&self) {
        self.harness.fold_all().await;
        let differences = self.harness.engine().ledger_check().await.expect("the ledger can be checked");
        assert!(differences.is_empty(), "the ledger:\n{}", differences.join("\n"));
    }

    /// Somebody has exactly this.
    #[track_caller]
    pub fn has<'a>(&'a self, name: &'a str, expected: Purse) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move { assert_eq!(Purse::of(&self.harness, name).await, expected, "{name} has, at {place}") }
    }

    /// The referral that brought somebody in: its state, and the key of the event that completed it.
    pub async fn referral(&self, name: &str) -> String {
        let text = format!(
            "SELECT referrals.status || coalesce(' by ' || events.key, '') AS line FROM referrals \
             JOIN users ON users.id = referred_id LEFT JOIN events \
               ON events.user_id = referred_id AND events.received_at = completed_at \
             WHERE users.external_id = '{name}'"
        );
        self.lines(&text).await.remove(0)
    }

    /// Rewards of somebody, in the order of their events: state, granted and net amount.
    pub async fn rewards(&self, name: &str) -> Vec<String> {
        let text = format!(
            "SELECT events.key || ' ' || rewards.status || ' ' || CAST(rewards.amount AS text) || ' ' || \
               CAST(rewards.net AS text) AS line \
             FROM rewards JOIN events ON events.id = rewards.event_id JOIN users ON users.id = rewards.user_id \
             WHERE users.external_id = '{name}' ORDER BY events.seq"
        );
        self.lines(&text).await
    }

    /// Ids of the rewards of somebody, oldest first.
    pub async fn reward_ids(&self, name: &str) -> Vec<Id> {
        let text = format!(
            "SELECT rewards.id AS id FROM rewards JOIN users ON users.id = rewards.user_id \
             WHERE users.external_id = '{name}' ORDER BY rewards.id"
        );
        self.harness.sql().await.load::<RowId>(&text).await.into_iter().map(|row| row.id).collect()
    }

    /// From now on the default program has these rules.
    pub async fn promise(&self, rules: Value) {
        const PROGRAM: &str = "{ program(by: {key: \"default\"}) { id } }";
        const UPDATE: &str = "mutation($input: UpdateProgramInput!) { updateProgram(input: $input) { \
            userErrors { message } } }";
        let admin = self.harness.admin();
        let id = admin.run(PROGRAM, json!({})).await["program"]["id"].take();
        let updated = admin.run(UPDATE, json!({"input": {"programId": id, "rules": rules}})).await;
        assert_eq!(updated["updateProgram"]["userErrors"], json!([]));
    }

    /// From now on the default program holds what it pays, and lets it lapse.
    pub async fn promise_with_hold(&self, hold_days: u32, expires_after_days: u32) {
        let mut definition = Definition::default_program();
        for rule in &mut definition.rules {
            rule.hold_days = hold_days;
            rule.expires_after_days = Some(expires_after_days);
        }
        let text = serde_json::to_string(&definition).expect("JSON");
        let text = format!("UPDATE program_versions SET definition = '{text}'");
        self.harness.sql().await.execute(&text).await;
    }

    async fn lines(&self, text: &str) -> Vec<String> {
        self.harness.sql().await.load::<Line>(text).await.into_iter().map(|row| row.line).collect()
    }

    /// Ends the story.
    pub async fn close(self) {
        self.harness.finish().await;
    }
}
