//! What operators wrote because of a person, about others and on lists.

use banyan::{
    domain::id::{Id, Noun},
    engine::sign_up::SignUp,
};
use serde_json::{Value, json};

use crate::{
    canaries::{columns_with, dump, found},
    support::{Harness, Host, each_backend, newcomer},
};

/// Runs a mutation of an operator, which is not refused.
async fn operate(harness: &Harness, field: &str, kind: &str, input: Value) {
    let text = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ userErrors {{ code message }} }} }}");
    let data = harness.admin().run(&text, json!({"input": input})).await;
    assert_eq!(data[field]["userErrors"], json!([]), "{field}");
    // Deeds of different instants, as they are outside of stories.
    harness.clock().pass_seconds(1);
}

/// Takes the only entry off its list.
async fn unlist(harness: &Harness, reason: &str) {
    let data = harness.admin().run("{ listings { nodes { id } } }", json!({})).await;
    let input = json!({"listingId": data["listings"]["nodes"][0]["id"], "reason": reason});
    operate(harness, "removeListing", "RemoveListingInput", input).await;
}

async fn move_user(harness: &Harness, (user, referrer): (Id, Id), reason: &str) {
    let (user, referrer) = (user.typed(Noun::User), referrer.typed(Noun::User));
    let input = json!({"userId": user, "referrerId": referrer, "reason": reason});
    operate(harness, "moveUser", "MoveUserInput", input).await;
}

async fn deny(harness: &Harness, user: Id, reason: &str) {
    let input = json!({"referralId": user.typed(Noun::Referral), "decision": "DENY", "reason": reason});
    operate(harness, "reviewReferral", "ReviewReferralInput", input).await;
}

async fn list(harness: &Harness, [effect, subject, value, reason]: [&str; 4]) {
    let input = json!({"effect": effect, "subject": subject, "value": value, "reason": reason});
    operate(harness, "addListing", "AddListingInput", input).await;
}

async fn erase(harness: &Harness, user: Id) {
    let input = json!({"userId": user.typed(Noun::User), "reason": "asked"});
    operate(harness, "eraseUser", "EraseUserInput", input).await;
}

async fn status_of_referral(harness: &Harness, name: &str) -> Value {
    let text = "query($name: String!) { user(by: {externalId: $name}) { referral { status } } }";
    harness.admin().run(text, json!({"name": name})).await["user"]["referral"]["status"].take()
}

#[test]
fn what_was_done_to_others_because_of_a_person_is_told_without_them() {
    each_backend(async |harness| {
        let ann = newcomer(&harness, "ann", None).await;
        let zenobia = newcomer(&harness, "zenobia-quarkson", Some(&ann)).await;
        let ben = newcomer(&harness, "ben", Some(&zenobia)).await;
        let cid = newcomer(&harness, "cid", None).await;
        let dan = newcomer(&harness, "dan", Some(&zenobia)).await;
        let eve = newcomer(&harness, "eve", Some(&ann)).await;
        harness.fold_all().await;
        move_user(&harness, (cid.id, ann.id), "Ann told us").await;
        move_user(&harness, (cid.id, zenobia.id), "it was Zenobia after all").await;
        deny(&harness, ben.id, "an account of Zenobia herself").await;
        deny(&harness, dan.id, "Zenobia Quarkson's cousin").await;
        move_user(&harness, (dan.id, ann.id), "Zenobia never met Dan").await;
        deny(&harness, eve.id, "a card of somebody else").await;
        harness.fold_all().await;
        let words = ["zenobia".to_owned(), "quarkson".to_owned()];
        let before = columns_with(&harness, &words).await;
        for column in ["audit_log.reason", "referral_moves.reason", "reviews.reason"] {
            assert!(before.iter().any(|told| told == column), "nothing was planted in {column}: {before:?}");
        }

        erase(&harness, zenobia.id).await;
        assert_eq!(found(&harness, &words).await, [""; 0]);
        let left = dump(&harness).await;
        let sorted = |column: &str| {
            let mut words = left[column].clone();
            words.sort();
            words
        };
        assert_eq!(sorted("referral_moves.reason"), ["Ann told us", "erased", "erased"]);
        assert_eq!(sorted("reviews.reason"), ["a card of somebody else", "erased", "erased"]);
        for word in ["Ann told us", "a card of somebody else"] {
            assert!(left["audit_log.reason"].iter().any(|reason| reason == word), "`{word}` is not about Zenobia");
        }
        harness.finish().await;
    });
}

#[test]
fn lists_go_on_blocking_and_say_no_more_whom() {
    each_backend(async |harness| {
        let ann = newcomer(&harness, "ann", None).await;
        let host = Host::of(&harness);
        let request = |name: &str, code: &str| SignUp {
            external_id: name.to_owned(),
            code: Some(code.to_owned()),
            ..SignUp::default()
        };
        let zenobia = SignUp {
            email: Some("ZQ@mailbox.example".to_owned()),
            ip_address: Some("203.0.113.77".to_owned()),
            device_id: Some("device-ZQ-1".to_owned()),
            ..request("zenobia-quarkson", &ann.code)
        };
        let zenobia = host.sign_up(zenobia).await.unwrap().user;
        harness.fold_all().await;
        for entry in [
            ["BLOCK", "DEVICE", "device-ZQ-1", "Zenobia's tablet"],
            ["BLOCK", "DEVICE", "farm", "a farm of phones"],
            ["ALLOW", "IP", "203.0.113.77", "where Zenobia works"],
            ["ALLOW", "EMAIL", "zq@mailbox.example", "Zenobia is a friend"],
            ["BLOCK", "REFERRER", "zenobia-quarkson", "Zenobia Quarkson cheats"],
        ] {
            list(&harness, entry).await;
        }
        erase(&harness, zenobia.id).await;
        assert_eq!(found(&harness, &["zenobia".to_owned(), "quarkson".to_owned()]).await, [""; 0]);
        let data = harness.admin().run("{ listings { nodes { effect subject reason } } }", json!({})).await;
        let line =
            |entry: &Value| ["effect", "subject", "reason"].map(|field| entry[field].as_str().unwrap()).join(" ");
        let mut left: Vec<String> = data["listings"]["nodes"].as_array().unwrap().iter().map(line).collect();
        left.sort();
        assert_eq!(left, ["ALLOW IP erased", "BLOCK DEVICE a farm of phones", "BLOCK DEVICE erased"]);
        let removed = "SELECT count(*) AS number FROM audit_log WHERE action = 'removeListing' AND reason = 'erased'";
        assert_eq!(harness.sql().await.number(removed).await, 2);
        let farm = "SELECT count(*) AS number FROM audit_log WHERE reason = 'a farm of phones'";
        assert_eq!(harness.sql().await.number(farm).await, 1);

        // What blocked goes on blocking, and who is new under the name is somebody new.
        let fay = SignUp { device_id: Some("device-ZQ-1".to_owned()), ..request("fay", &ann.code) };
        host.sign_up(fay).await.unwrap();
        let again = newcomer(&harness, "zenobia-quarkson", None).await;
        newcomer(&harness, "gus", Some(&again)).await;
        harness.fold_all().await;
        assert_eq!(status_of_referral(&harness, "fay").await, "REJECTED");
        assert_eq!(status_of_referral(&harness, "gus").await, "PENDING");
        harness.finish().await;
    });
}

/// What an entry named that is no more cannot be known; what was said of it may tell.
#[test]
fn reasons_of_entries_that_are_no_more_are_forgotten_where_they_name_the_person() {
    each_backend(async |harness| {
        let zenobia = newcomer(&harness, "zenobia-quarkson", None).await;
        list(&harness, ["BLOCK", "DEVICE", "device-ZQ-1", "of Zenobia-Quarkson"]).await;
        unlist(&harness, "ZENOBIA-QUARKSON sold it").await;
        list(&harness, ["BLOCK", "DEVICE", "farm", "a farm of phones"]).await;
        unlist(&harness, "it burned down").await;
        list(&harness, ["BLOCK", "DEVICE", "device-ZQ-2", "zenobia-quarkson has another one"]).await;
        erase(&harness, zenobia.id).await;
        assert_eq!(found(&harness, &["zenobia".to_owned(), "quarkson".to_owned()]).await, [""; 0]);
        let mut reasons = dump(&harness).await["audit_log.reason"].clone();
        reasons.retain(|reason| ["a farm of phones", "it burned down", "erased"].contains(&reason.as_str()));
        reasons.sort();
        assert_eq!(reasons, ["a farm of phones", "erased", "erased", "erased", "it burned down"]);
        harness.fold_all().await;
        harness.finish().await;
    });
}
