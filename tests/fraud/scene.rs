//! A shop that looks at where its customers come from.

use banyan::{
    domain::id::{Id, Noun},
    engine::sign_up::SignUp,
};
use diesel::{
    QueryableByName,
    sql_types::{Integer, Text},
};
use serde_json::{Value, json};

use crate::support::{Actor, Harness, Host, Person, Purse, each_backend, newcomer};

/// Changes the default program.
pub const UPDATE: &str = "mutation($input: UpdateProgramInput!) { updateProgram(input: $input) { \
    program { version fraud { holdAt blockAt missingEvidence } } userErrors { code field } } }";
/// Makes another program.
const CREATE: &str = "mutation($input: CreateProgramInput!) { createProgram(input: $input) { \
    program { id } userErrors { code field } } }";
/// Gives somebody a code of a program.
const CODE: &str = "mutation($input: CreateReferralCodeInput!) { createReferralCode(input: $input) { \
    code { code } userErrors { code } } }";
/// Decides about a referral.
pub const REVIEW: &str = "mutation($input: ReviewReferralInput!) { reviewReferral(input: $input) { \
    referral { status rejectedAt risk { standing score } } userErrors { code field } } }";

/// A shop, and Ann, its first customer.
pub struct Scene {
    pub harness: Harness,
    pub host: Host,
    pub ann: Person,
}

/// What a signup shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub ip: Option<&'static str>,
    pub device: Option<&'static str>,
    pub email: Option<&'static str>,
    pub phone: Option<&'static str>,
}

impl Seen {
    pub const NOTHING: Self = Self { ip: None, device: None, email: None, phone: None };

    pub const fn ip(ip: &'static str) -> Self {
        Self { ip: Some(ip), ..Self::NOTHING }
    }

    pub const fn device(device: &'static str) -> Self {
        Self { device: Some(device), ..Self::NOTHING }
    }

    pub const fn email(email: &'static str) -> Self {
        Self { email: Some(email), ..Self::NOTHING }
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// Tells a story on both databases. Whatever happened, replaying all decisions gives what is stored.
pub fn on_the_scene(story: impl AsyncFn(&Scene)) {
    each_backend(async |harness: Harness| {
        let scene = Scene { host: Host::of(&harness), ann: newcomer(&harness, "ann", None).await, harness };
        story(&scene).await;
        scene.harness.fold_all().await;
        let differences = scene.harness.engine().verify().await.expect("can be verified");
        assert!(differences.is_empty(), "verify:\n{}", differences.join("\n"));
        scene.harness.finish().await;
    });
}

/// A signup with a referrer, and what it shows.
pub fn request(name: &str, referrer: Option<&Person>, seen: Seen) -> SignUp {
    let text = |value: Option<&str>| value.map(str::to_owned);
    SignUp {
        external_id: name.to_owned(),
        code: referrer.map(|referrer| referrer.code.clone()),
        ip_address: text(seen.ip),
        device_id: text(seen.device),
        email: text(seen.email),
        phone: text(seen.phone),
        ..SignUp::default()
    }
}

impl Scene {
    pub fn admin(&self) -> Actor {
        self.harness.admin()
    }

    /// Somebody signs up, brought in by somebody or not, and everything is folded.
    pub async fn sign_up(&self, name: &str, referrer: Option<&Person>, seen: Seen) -> Person {
        let signed_up = self.host.sign_up(request(name, referrer, seen)).await.expect("a signup is never refused");
        assert!(signed_up.created);
        self.harness.fold_all().await;
        let text = format!(
            "SELECT shown AS line FROM codes JOIN users ON users.id = codes.user_id WHERE external_id = '{name}'"
        );
        let code = self.lines(&text).await.remove(0);
        Person { id: signed_up.user.id, external_id: name.to_owned(), code }
    }

    /// Somebody whom Ann brings in.
    pub async fn friend(&self, name: &str, seen: Seen) -> Person {
        self.sign_up(name, Some(&self.ann), seen).await
    }

    pub async fn buys(&self, name: &str) {
        self.host.buy(name, &format!("order of {name}"), "100.00").await.expect("buys");
        self.harness.fold_all().await;
    }

    /// Somebody buys later than what would be too fast.
    pub async fn buys_in_time(&self, name: &str) {
        self.harness.clock().pass_seconds(60);
        self.buys(name).await;
    }

    pub async fn lines(&self, text: &str) -> Vec<String> {
        self.harness.sql().await.load::<Line>(text).await.into_iter().map(|row| row.line).collect()
    }

    /// Signs on somebody's referral, by name; those that are only reported in brackets.
    pub async fn signals(&self, name: &str) -> Vec<String> {
        let text = format!(
            "SELECT CASE WHEN shadow THEN '(' || signal || ')' ELSE signal END AS line FROM signals \
             JOIN users ON users.id = referred_id WHERE external_id = '{name}' ORDER BY signal"
        );
        self.lines(&text).await
    }

    /// Score and standing of somebody's referral.
    pub async fn risk(&self, name: &str) -> (i32, String) {
        let of = format!("JOIN users ON users.id = referrals.referred_id WHERE external_id = '{name}'");
        let mut sql = self.harness.sql().await;
        let score = sql.load::<Number>(&format!("SELECT risk_score AS number FROM referrals {of}")).await;
        let standing = self
            .lines(&format!(
                "SELECT coalesce(risks.standing, 'CLEAR') AS line FROM referrals \
                 LEFT JOIN risks ON risks.referred_id = referrals.referred_id {of}"
            ))
            .await;
        (score[0].number, standing[0].clone())
    }

    #[track_caller]
    pub fn has<'a>(&'a self, name: &'a str, expected: Purse) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move { assert_eq!(Purse::of(&self.harness, name).await, expected, "{name} has, at {place}") }
    }

    /// Decides about somebody's referral.
    pub async fn review(&self, person: &Person, decision: &str) -> Value {
        self.review_as(&person.id.typed(Noun::Referral), decision, "looked at it").await
    }

    pub async fn review_as(&self, referral: &str, decision: &str, reason: &str) -> Value {
        let input = json!({"referralId": referral, "decision": decision, "reason": reason});
        self.admin().run(REVIEW, json!({"input": input})).await["reviewReferral"].take()
    }

    /// Changes the default program.
    pub async fn promise(&self, mut change: Value) -> Value {
        const PROGRAM: &str = "{ program(by: {key: \"default\"}) { id } }";
        let program = self.admin().run(PROGRAM, json!({})).await["program"]["id"].take();
        change["programId"] = program;
        self.admin().run(UPDATE, json!({"input": change})).await["updateProgram"].take()
    }

    /// Changes what the default program makes of fraud.
    pub async fn policy(&self, fraud: Value) {
        let changed = self.promise(json!({"fraud": fraud})).await;
        assert_eq!(changed["userErrors"], json!([]));
    }

    /// Another program that runs and pays nothing, with what it makes of fraud; gives its id.
    pub async fn program(&self, key: &str, fraud: Value) -> String {
        let input = json!({
            "key": key, "name": key, "currencyCode": "USD", "rules": [], "fraud": fraud, "activate": true,
        });
        let made = self.admin().run(CREATE, json!({"input": input})).await["createProgram"].take();
        assert_eq!(made["userErrors"], json!([]));
        made["program"]["id"].as_str().unwrap().to_owned()
    }

    /// Somebody as they bring others to a program.
    pub async fn sharing(&self, person: &Person, program: &str) -> Person {
        let input = json!({"userId": person.id.typed(Noun::User), "programId": program});
        let made = self.harness.server().run(CODE, json!({"input": input})).await["createReferralCode"].take();
        let code = made["code"]["code"].as_str().unwrap().to_owned();
        Person { code, ..person.clone() }
    }

    /// Several people sign up before anything is folded.
    pub async fn sign_up_together(&self, people: &[(&str, &Person, Seen)]) {
        for (name, referrer, seen) in people {
            self.host.sign_up(request(name, Some(*referrer), *seen)).await.expect("a signup is never refused");
        }
        self.harness.fold_all().await;
    }

    /// Direct referrals of somebody that count.
    pub async fn counted(&self, id: Id) -> i64 {
        const COUNT: &str = "query($id: ID!) { user(by: {id: $id}) { referralCount } }";
        let data = self.admin().run(COUNT, json!({"id": id.typed(Noun::User)})).await;
        data["user"]["referralCount"].as_i64().unwrap()
    }
}
