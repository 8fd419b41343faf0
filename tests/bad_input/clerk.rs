//! An operator who sends what should not be sent, and looks at what it left behind.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Actor, Harness, Sql};

/// The mutations, by name of field and type of input.
pub const SIGN_UP: Mutation = Mutation {
    field: "signUp",
    input: "SignUpInput",
    result: "user { id displayName } created attribution { outcome via referral { referrer { id } } }",
};
pub const UPDATE: Mutation = Mutation { field: "updateUser", input: "UpdateUserInput", result: "user { id }" };
pub const EVENT: Mutation =
    Mutation { field: "recordEvent", input: "RecordEventInput", result: "event { id } created" };
pub const REFUND: Mutation =
    Mutation { field: "recordRefund", input: "RecordRefundInput", result: "refund { id } created" };
pub const CLAIM: Mutation = Mutation { field: "claimRewards", input: "ClaimRewardsInput", result: "claims { id }" };
pub const SETTLE: Mutation = Mutation { field: "settleClaim", input: "SettleClaimInput", result: "claim { id }" };

/// Everything that a request could leave something in.
const TABLES: [&str; 14] = [
    "users",
    "user_totals",
    "codes",
    "referrals",
    "evidence",
    "events",
    "refunds",
    "outbox",
    "claims",
    "claim_requests",
    "rewards",
    "reward_moves",
    "transfers",
    "board_deltas",
];

/// A mutation and what is asked of its payload.
#[derive(Clone, Copy)]
pub struct Mutation {
    field: &'static str,
    input: &'static str,
    result: &'static str,
}

impl Mutation {
    fn document(self) -> String {
        let Self { field, input, result } = self;
        format!(
            "mutation($input: {input}!) {{ {field}(input: $input) {{ {result} userErrors {{ code message field }} }} }}"
        )
    }
}

/// An operator.
pub struct Clerk {
    admin: Actor,
    database_url: String,
}

impl Clerk {
    pub fn of(harness: &Harness) -> Self {
        Self { admin: harness.admin(), database_url: harness.database_url() }
    }

    /// Does something that must be done, and gives the payload.
    pub async fn does(&self, mutation: Mutation, input: Value) -> Value {
        let mut data = self.admin.run(&mutation.document(), json!({"input": input})).await;
        let payload = data[mutation.field].take();
        assert_eq!(payload["userErrors"], json!([]), "{input}");
        payload
    }

    pub async fn signs_up(&self, input: Value) -> Value {
        self.does(SIGN_UP, input).await
    }

    pub async fn records(&self, input: Value) {
        assert_eq!(self.does(EVENT, input).await["created"], true);
    }

    /// Something is refused: one error with this code about this field, and no object.
    pub async fn is_refused(&self, mutation: Mutation, input: Value, code: &str, field: &str) {
        let mut data = self.admin.run(&mutation.document(), json!({"input": input})).await;
        let mut payload = data[mutation.field].take();
        let errors = payload["userErrors"].take();
        assert_eq!((&errors[0]["code"], &errors[0]["field"]), (&json!(code), &json!([field])), "{input}: {errors}");
        let message = errors[0]["message"].as_str().unwrap_or_default();
        assert!(message.len() > 10 && message.len() < 300, "{input}: {message}");
        assert!(errors[1].is_null(), "{input}: {errors}");
        let objects = payload.as_object().expect("a payload").values();
        assert!(objects.into_iter().all(|value| value.is_null() || *value == json!([])), "{input}: {payload}");
    }

    /// Something is no request at all: an error of the document, before anything is done.
    pub async fn is_invalid(&self, mutation: Mutation, input: Value) {
        let answer = self.admin.response(&mutation.document(), json!({"input": input})).await;
        assert!(answer["data"].is_null(), "{input}: {answer}");
        assert!(answer["errors"][0]["message"].as_str().is_some_and(|message| message.len() > 10), "{answer}");
    }

    /// The code that somebody shares.
    pub async fn code(&self, external_id: &str) -> String {
        let answer = self.admin.run("query($by: UserBy!) { user(by: $by) { code } }", by(external_id)).await;
        answer["user"]["code"].as_str().expect("a code").to_owned()
    }

    /// Ids of the rewards of somebody.
    pub async fn rewards(&self, external_id: &str) -> Vec<Value> {
        let document = "query($by: UserBy!) { user(by: $by) { rewards { nodes { id } } } }";
        let answer = self.admin.run(document, by(external_id)).await;
        let nodes = answer["user"]["rewards"]["nodes"].as_array().expect("rewards");
        nodes.iter().map(|node| node["id"].clone()).collect()
    }

    /// How many rows each table has.
    pub async fn rows(&self) -> BTreeMap<&'static str, i64> {
        let mut sql = Sql::connect(&self.database_url).await;
        let mut rows = BTreeMap::new();
        for table in TABLES {
            rows.insert(table, sql.number(&format!("SELECT count(*) AS number FROM {table}")).await);
        }
        rows
    }
}

fn by(external_id: &str) -> Value {
    json!({"by": {"externalId": external_id}})
}
