//! What an erasure takes, and what it leaves.

use std::time::Duration;

use banyan::{
    engine::{RefusalCode, sign_up::SignUp},
    store::BackendKind,
};
use serde_json::{Value, json};

use crate::{
    canaries::{columns_with, found},
    columns::{COLUMNS, Holds},
    files::{in_files, left_in_files, tidy_sql},
    logs::{heard, listen},
    support::{Harness, Host, Person, Purse, at_once, each_backend, newcomer, recount},
};

const ERASE: &str = "mutation($input: EraseUserInput!) { eraseUser(input: $input) { \
    user { id status externalId displayName code codes { code status } } userErrors { code field message } } }";

/// Words that are planted wherever something about Zenobia can be told.
const WORDS: [&str; 7] =
    ["zenobia", "quarkson", "zq@mailbox.example", "+493012345678", "203.0.113.77", "device-ZQ-1", "Agent-ZQ/9"];

/// How long an erasure may take beside a reader who does not end.
const PATIENCE: Duration = Duration::from_secs(5);

pub fn typed(id: banyan::domain::id::Id) -> String {
    id.typed(banyan::domain::id::Noun::User)
}

pub async fn erase(harness: &Harness, id: &str, reason: &str) -> Value {
    let input = json!({"userId": id, "reason": reason});
    harness.admin().run(ERASE, json!({"input": input})).await["eraseUser"].take()
}

/// Zenobia, brought in by Ann, with everything that can be told about a person; she brought Ben in.
async fn zenobia(harness: &Harness) -> (Person, Person, Person) {
    let ann = newcomer(harness, "ann", None).await;
    let sign_up = "mutation($input: SignUpInput!) { signUp(input: $input) { \
        user { id code } userErrors { code message } } }";
    let input = json!({
        "externalId": "zenobia-quarkson", "displayName": "Zenobia Quarkson", "code": ann.code,
        "email": "ZQ@mailbox.example", "phone": "+49 30 12345678", "ipAddress": "203.0.113.77",
        "deviceId": "device-ZQ-1", "userAgent": "Agent-ZQ/9",
    });
    let data = harness.server().run(sign_up, json!({"input": input})).await;
    assert_eq!(data["signUp"]["userErrors"], json!([]));
    let id =
        banyan::domain::id::parse_as(banyan::domain::id::Noun::User, data["signUp"]["user"]["id"].as_str().unwrap())
            .unwrap();
    let code = data["signUp"]["user"]["code"].as_str().unwrap().to_owned();
    let zenobia = Person { id, external_id: "zenobia-quarkson".to_owned(), code };
    let ben = newcomer(harness, "ben", Some(&zenobia)).await;
    (ann, zenobia, ben)
}

/// Tells about Zenobia in every other place: through the API where there is a way, by SQL where there is none yet.
async fn tell_more(harness: &Harness, zenobia: &Person) {
    let event = "mutation($input: RecordEventInput!) { recordEvent(input: $input) { userErrors { message } } }";
    let input = json!({
        "externalId": "zenobia-quarkson", "type": "purchase", "idempotencyKey": "order-1",
        "amount": {"amount": "20.00", "currencyCode": "USD"},
        "metadata": {"to": "Zenobia Quarkson", "email": "zq@mailbox.example", "ip": "203.0.113.77"},
    });
    let data = harness.server().run(event, json!({"input": input})).await;
    assert_eq!(data["recordEvent"]["userErrors"], json!([]));
    let eve = newcomer(harness, "eve", None).await;
    let host = Host::of(harness);
    host.move_user(zenobia.id, eve.id).await.unwrap();
    for (field, reason) in
        [("suspendUser", "Zenobia Quarkson called from +493012345678"), ("reinstateUser", "zq@mailbox.example")]
    {
        let text = format!(
            "mutation($id: ID!, $reason: String!) {{ {field}(input: {{userId: $id, reason: $reason}}) {{ \
             userErrors {{ message }} }} }}"
        );
        harness.admin().run(&text, json!({"id": typed(zenobia.id), "reason": reason})).await;
    }
    let id = "(SELECT id FROM users WHERE external_id = 'zenobia-quarkson')";
    let at = "(SELECT created_at FROM users WHERE external_id = 'zenobia-quarkson')";
    tidy_sql(harness).await.execute(&format!(
        "UPDATE referral_moves SET reason = 'Zenobia Quarkson moved', from_code = 'ZENOBIA-Q' WHERE user_id = {id}; \
         INSERT INTO codes (key, shown, user_id, program_id, kind, status, created_at) \
           SELECT 'ZEN0B1AQ', 'ZENOBIA-Q', id, (SELECT id FROM programs), 'VANITY', 'ACTIVE', created_at \
           FROM users WHERE id = {id}; \
         UPDATE referrals SET code = 'ZENOBIA-Q' WHERE referrer_id = {id}; \
         UPDATE referral_moves SET from_referrer_id = {id} WHERE user_id = {id}; \
         INSERT INTO clicks (id, code_key, program_id, user_id, utm, created_at, ip_hash) \
           SELECT id, 'ZEN0B1AQ', (SELECT id FROM programs), id, 'source=zq@mailbox.example', created_at, email_hash \
           FROM users WHERE id = {id}; \
         UPDATE referrals SET click_id = {id} WHERE referred_id = {id}; \
         INSERT INTO signals (referred_id, signal, weight, shadow, evidence, program_version, created_at) \
           VALUES ({id}, 'DEVICE', 1, false, '{{\"device\": \"device-ZQ-1\"}}', 1, {at}); \
         INSERT INTO reviews (id, referred_id, status, score, seq, reason, created_at) \
           VALUES ({id}, {id}, 'APPROVED', 1, 1, 'Zenobia showed her passport', {at}); \
         INSERT INTO outbox (user_id, parked, last_error, created_at) VALUES ({id}, true, 'Zenobia was odd', {at})"
    )).await;
}

/// Zenobia chooses codes, by one of which Cleo comes; the other one is switched off.
async fn choose_codes(harness: &Harness, zenobia: &Person) {
    let cleo = SignUp { external_id: "cleo".to_owned(), code: Some("zenobia-q".to_owned()), ..SignUp::default() };
    let cleo = Host::of(harness).sign_up(cleo).await.unwrap();
    assert_eq!(cleo.referral.map(|edge| edge.referrer_id), Some(zenobia.id));
    let create = "mutation($id: ID!) { createReferralCode(input: {userId: $id, code: \"QUARKSON-9\"}) { \
        userErrors { code } } }";
    let data = harness.admin().run(create, json!({"id": typed(zenobia.id)})).await;
    assert_eq!(data["createReferralCode"]["userErrors"], json!([]));
    let disable = "mutation { disableReferralCode(input: {code: \"quarkson-9\"}) { userErrors { code } } }";
    let data = harness.admin().run(disable, json!({})).await;
    assert_eq!(data["disableReferralCode"]["userErrors"], json!([]));
}

/// Zenobia's mailbox is listed.
async fn block_mailbox(harness: &Harness) {
    let add = "mutation($input: AddListingInput!) { addListing(input: $input) { userErrors { code } } }";
    let input = json!({"effect": "BLOCK", "subject": "EMAIL", "value": "zq@mailbox.example",
        "reason": "Zenobia Quarkson, device-ZQ-1"});
    let data = harness.admin().run(add, json!({"input": input})).await;
    assert_eq!(data["addListing"]["userErrors"], json!([]));
}

/// The keyed hashes of Zenobia's contacts and evidence.
async fn hashes(harness: &Harness) -> Vec<String> {
    let dump = crate::canaries::dump(harness).await;
    let of = [
        "users.email_hash",
        "users.phone_hash",
        "evidence.ip_hash",
        "evidence.network_hash",
        "evidence.device_hash",
        "evidence.user_agent_hash",
    ];
    let hashes: Vec<String> = of.iter().flat_map(|column| dump[*column].clone()).collect();
    assert_eq!(hashes.len(), of.len(), "Zenobia is the only one who told anything");
    hashes
}

#[test]
fn nothing_that_says_who_it_was_is_left() {
    listen();
    each_backend(async |harness| {
        let (_, zenobia, _) = zenobia(&harness).await;
        tell_more(&harness, &zenobia).await;
        choose_codes(&harness, &zenobia).await;
        harness.fold_all().await;
        block_mailbox(&harness).await;
        let mut words: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
        words.push("ZEN0B1A".to_owned());
        words.extend(hashes(&harness).await);
        let before = columns_with(&harness, &words).await;
        for column in [
            "audit_log.reason",
            "audit_log.subject",
            "clicks.code_key",
            "clicks.ip_hash",
            "clicks.utm",
            "codes.key",
            "codes.shown",
            "events.metadata",
            "evidence.device_hash",
            "listings.reason",
            "outbox.last_error",
            "referral_moves.from_code",
            "referral_moves.reason",
            "referrals.code",
            "reviews.reason",
            "signals.evidence",
            "users.display_name",
            "users.email_hash",
            "users.external_id",
        ] {
            assert!(before.iter().any(|told| told == column), "nothing was planted in {column}: {before:?}");
        }
        for column in &before {
            let holds = COLUMNS.iter().find(|(name, _)| name == column).map(|(_, holds)| *holds);
            assert_eq!(holds, Some(Holds::Erased), "{column} was planted");
        }
        if harness.kind() == BackendKind::Sqlite {
            // The browser's name is nowhere but in a hash.
            let stored = words.iter().filter(|word| *word != "Agent-ZQ/9");
            let hidden: Vec<_> = stored.filter(|word| in_files(&harness, &[(*word).clone()]).is_empty()).collect();
            assert!(hidden.is_empty(), "not found in the files before: {hidden:?}");
        }
        let payload = erase(&harness, &typed(zenobia.id), "asked to be forgotten, ticket 77").await;
        assert_eq!(payload["userErrors"], json!([]));
        assert_eq!(payload["user"]["status"], "ERASED");
        for field in ["externalId", "displayName", "code"] {
            assert_eq!(payload["user"][field], Value::Null, "{field}");
        }
        let left = found(&harness, &words).await;
        assert!(left.is_empty(), "left in the database:\n{}", left.join("\n"));
        assert_eq!(left_in_files(&harness, &words).await, [""; 0], "left in its files");
        let log = heard().to_lowercase();
        assert!(log.contains("listening"), "the log was heard");
        for word in &words {
            assert!(!log.contains(&word.to_lowercase()), "the log says `{word}`");
        }
        harness.sql().await.execute("DELETE FROM outbox WHERE parked").await;
        harness.finish().await;
    });
}

/// The log of SQLite stays while somebody reads from it. Nobody waits for that, and it is emptied later.
#[test]
fn a_reader_keeps_the_log_and_does_not_hold_an_erasure_up() {
    each_backend(async |harness| {
        let (_, zenobia, _) = zenobia(&harness).await;
        harness.fold_all().await;
        let words = ["zenobia".to_owned(), "quarkson".to_owned()];
        let mut reader = harness.sql().await;
        reader.execute("BEGIN").await;
        assert_eq!(reader.number("SELECT count(*) AS number FROM users").await, 3);
        let id = typed(zenobia.id);
        let payload = tokio::time::timeout(PATIENCE, erase(&harness, &id, "asked")).await.unwrap();
        assert_eq!(payload["user"]["status"], "ERASED");
        assert_eq!(found(&harness, &words).await, [""; 0]);
        assert_eq!(in_files(&harness, &words).is_empty(), harness.kind() == BackendKind::Postgres);
        reader.execute("COMMIT").await;
        assert_eq!(left_in_files(&harness, &words).await, [""; 0], "left in the files");
        harness.finish().await;
    });
}

#[test]
fn what_others_rely_on_is_left() {
    each_backend(async |harness| {
        let (ann, zenobia, ben) = zenobia(&harness).await;
        let host = Host::of(&harness);
        host.buy("zenobia-quarkson", "order-1", "20.00").await.unwrap();
        host.buy("ben", "order-2", "20.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "zenobia-quarkson").await, Purse { available: 1_500, ..Purse::EMPTY });
        let query = "query($ann: ID!, $ben: ID!) { \
            ann: user(by: {id: $ann}) { referralCount completedReferralCount network { size levels { signups completed } } } \
            ben: user(by: {id: $ben}) { upline { id } referral { status referrer { id displayName externalId } } } }";
        let seen = async || harness.admin().run(query, json!({"ann": typed(ann.id), "ben": typed(ben.id)})).await;
        let mut before = seen().await;
        let payload = erase(&harness, &typed(zenobia.id), "asked").await;
        assert_eq!(payload["user"]["id"], json!(typed(zenobia.id)));
        let codes = payload["user"]["codes"].as_array().unwrap();
        assert!(codes.iter().all(|code| code["status"] == "DISABLED"), "{codes:?}");
        before["ben"]["referral"]["referrer"]["displayName"] = Value::Null;
        before["ben"]["referral"]["referrer"]["externalId"] = Value::Null;
        assert_eq!(seen().await, before, "tree and counts");

        // What was available cannot be claimed, and nothing more is earned; others go on earning.
        assert_eq!(host.claim(zenobia.id, "claim").await.unwrap_err(), RefusalCode::UserNotFound);
        assert_eq!(host.buy("zenobia-quarkson", "order-3", "1.00").await.unwrap_err(), RefusalCode::UserNotFound);
        let request = SignUp { external_id: "cleo".to_owned(), code: Some(zenobia.code.clone()), ..SignUp::default() };
        let cleo = host.sign_up(request).await.unwrap();
        assert_eq!(cleo.findings.outcome, banyan::domain::words::Outcome::CodeDisabled);
        // A refund of what an erased person bought still takes from whom it paid.
        host.refund("order-1", "refund-1", None).await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "ann").await, Purse::EMPTY);
        assert!(recount(&mut harness.sql().await).await.is_empty());
        assert_eq!(harness.engine().verify().await.unwrap(), [""; 0]);
        harness.finish().await;
    });
}

#[test]
fn an_erased_person_earns_nothing_more() {
    each_backend(async |harness| {
        let (_, zenobia, _) = zenobia(&harness).await;
        let host = Host::of(&harness);
        harness.fold_all().await;
        erase(&harness, &typed(zenobia.id), "asked").await;
        host.buy("ben", "order", "20.00").await.unwrap();
        harness.fold_all().await;
        let rewards = "SELECT count(*) AS number FROM rewards";
        assert_eq!(harness.sql().await.number(rewards).await, 1, "Ben's own");
        assert_eq!(harness.engine().verify().await.unwrap(), [""; 0]);
        harness.finish().await;
    });
}

#[test]
fn the_same_external_id_is_somebody_new() {
    each_backend(async |harness| {
        let (ann, zenobia, _) = zenobia(&harness).await;
        harness.fold_all().await;
        erase(&harness, &typed(zenobia.id), "asked").await;
        let again = newcomer(&harness, "zenobia-quarkson", None).await;
        assert_ne!(again.id, zenobia.id);
        assert_ne!(again.code, zenobia.code);
        let token = harness.member("zenobia-quarkson").run("{ viewer { id referrer { id } } }", json!({})).await;
        assert_eq!(token["viewer"], json!({"id": typed(again.id), "referrer": null}));
        assert_ne!(ann.id, again.id);
        harness.finish().await;
    });
}

#[test]
fn what_cannot_be_done_is_refused() {
    each_backend(async |harness| {
        let (_, zenobia, _) = zenobia(&harness).await;
        harness.fold_all().await;
        let id = typed(zenobia.id);
        for (id, reason, code, field) in [
            ("user_00000000000000000000000000", "asked", "USER_NOT_FOUND", "userId"),
            ("zenobia", "asked", "USER_NOT_FOUND", "userId"),
            (id.as_str(), "", "INVALID_INPUT", "reason"),
            (id.as_str(), "Zenobia Quarkson asked", "INVALID_INPUT", "reason"),
            (id.as_str(), "ZENOBIA-QUARKSON asked", "INVALID_INPUT", "reason"),
        ] {
            let payload = erase(&harness, id, reason).await;
            assert_eq!(payload["user"], Value::Null, "{reason}");
            assert_eq!(
                (&payload["userErrors"][0]["code"], &payload["userErrors"][0]["field"][0]),
                (&json!(code), &json!(field))
            );
        }
        let input = json!({"input": {"userId": id, "reason": "asked"}});
        assert_eq!(harness.anonymous().error_code(ERASE, input.clone()).await, "UNAUTHENTICATED");
        for actor in [harness.member("zenobia-quarkson"), harness.server()] {
            assert_eq!(actor.error_code(ERASE, input.clone()).await, "FORBIDDEN");
        }
        // Twice is once.
        erase(&harness, &id, "asked").await;
        assert_eq!(erase(&harness, &id, "asked again").await["user"]["status"], "ERASED");
        let noted = "SELECT count(*) AS number FROM audit_log WHERE action = 'eraseUser'";
        assert_eq!(harness.sql().await.number(noted).await, 1);
        // Nothing can be told about who was erased.
        let update = "mutation($id: ID!) { updateUser(input: {userId: $id, displayName: \"Zenobia\"}) { \
            userErrors { code } } }";
        let data = harness.server().run(update, json!({"id": id})).await;
        assert_eq!(data["updateUser"]["userErrors"], json!([{"code": "USER_NOT_FOUND"}]));
        harness.finish().await;
    });
}

/// Whatever was on its way when the erasure came is either not there or forgotten with the rest.
#[test]
fn nothing_slips_in_beside_an_erasure() {
    each_backend(async |harness| {
        for round in 0..20 {
            let name = format!("round-{round}");
            let person = newcomer(&harness, &name, None).await;
            let id = typed(person.id);
            at_once(5, |task| {
                let (server, admin, name, id) = (harness.server(), harness.admin(), name.clone(), id.clone());
                async move {
                    match task {
                        0 => drop(admin.run(ERASE, json!({"input": {"userId": id, "reason": "asked"}})).await),
                        1 | 2 => {
                            let text = "mutation($input: RecordEventInput!) { recordEvent(input: $input) { \
                                userErrors { code } } }";
                            let input = json!({"externalId": name, "type": "login", "metadata": {"who": "zenobia"},
                                "idempotencyKey": format!("{name}-{task}")});
                            let data = server.run(text, json!({"input": input})).await;
                            let errors = data["recordEvent"]["userErrors"].clone();
                            let gone = json!([{"code": "USER_NOT_FOUND"}]);
                            assert!(errors == json!([]) || errors == gone, "{errors}");
                        }
                        _ => {
                            let text = "mutation($id: ID!) { updateUser(input: {userId: $id, displayName: \"Zenobia\", \
                                email: \"zq@mailbox.example\"}) { userErrors { code } } }";
                            drop(server.run(text, json!({"id": id})).await);
                        }
                    }
                }
            })
            .await;
            assert_eq!(found(&harness, &["zenobia".to_owned()]).await, [""; 0], "{name}");
        }
        let told = "SELECT count(*) AS number FROM users WHERE email_hash IS NOT NULL OR display_name IS NOT NULL";
        assert_eq!(harness.sql().await.number(told).await, 0);
        harness.finish().await;
    });
}
