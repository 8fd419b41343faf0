//! Codes that people had chosen: gone, never given out again, and taken out of notes where the same words may stand.

use std::collections::BTreeMap;

use banyan::{
    domain::{
        id::Noun,
        words::{Outcome, Via},
    },
    engine::{erase_user::EraseUser, referral_codes::CreateReferralCode, sign_up::SignUp},
    store::sql_types::Text,
};
use diesel::QueryableByName;
use serde_json::{Value, json};

use crate::{
    canaries::found,
    links::follow,
    stories::{erase, typed},
    support::{Harness, Host, Person, each_backend, newcomer},
};

/// Words that stand in these notes, as names or as values, and that anybody may choose as a code.
const WORDS: [&str; 4] = ["ATTRIBUTED", "attribution", "lost", "reason"];
/// How often people are noted to have come by one of them.
const NOTED: usize = 11;

#[derive(QueryableByName)]
struct Note {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    metadata: String,
}

/// What is noted about each signup.
async fn notes(harness: &Harness) -> BTreeMap<String, Value> {
    let text = "SELECT key, metadata FROM events WHERE event_type = 'signup'";
    let notes: Vec<Note> = harness.sql().await.load(text).await;
    let read = |note: Note| (note.key, serde_json::from_str(&note.metadata).unwrap());
    notes.into_iter().map(read).collect()
}

/// Writes `x:` over each of the words where it stands as a code; says how often that was.
fn hide_codes(note: &mut Value) -> usize {
    match note {
        Value::Object(fields) => fields.iter_mut().map(|(name, value)| hide_code(name, value)).sum(),
        Value::Array(values) => values.iter_mut().map(hide_codes).sum(),
        _ => 0,
    }
}

fn hide_code(name: &str, value: &mut Value) -> usize {
    let is_hers = |code: &str| WORDS.contains(&code) || code.starts_with("x:");
    if name == "code" && value.as_str().is_some_and(is_hers) {
        *value = json!("x:");
        return 1;
    }
    hide_codes(value)
}

async fn choose_words(harness: &Harness, user: &Person) {
    for word in WORDS {
        let request =
            CreateReferralCode { user: user.id, program: None, code: Some(word.to_owned()), expires_at: None };
        harness.engine().create_referral_code(request).await.unwrap();
    }
}

/// People who come by these codes in every way in which a code can be noted.
async fn bring_people(harness: &Harness, ann: &Person) -> Vec<SignUp> {
    let by = |name: &str, code: Option<&str>, click_id: Option<String>| SignUp {
        external_id: name.to_owned(),
        code: code.map(str::to_owned),
        click_id,
        ..SignUp::default()
    };
    let mut requests: Vec<SignUp> = WORDS.iter().map(|word| by(&format!("by {word}"), Some(word), None)).collect();
    requests.push(by("by a link", None, Some(follow(harness, "ATTRIBUTED", 1).await)));
    requests.push(by("by code and link", Some("reason"), Some(follow(harness, "reason", 2).await)));
    requests.push(by("by another code", Some("attribution"), Some(follow(harness, "lost", 3).await)));
    requests.push(by("by ann", Some(&ann.code), Some(follow(harness, "reason", 4).await)));
    for request in &requests {
        let signed_up = Host::of(harness).sign_up(request.clone()).await.unwrap();
        assert_eq!(signed_up.findings.outcome, Outcome::Attributed, "{}", request.external_id);
    }
    requests
}

#[test]
fn a_code_that_is_a_word_of_the_notes_takes_no_other_word_along() {
    each_backend(async |harness| {
        let ann = newcomer(&harness, "ann", None).await;
        let eve = newcomer(&harness, "eve", None).await;
        let host = Host::of(&harness);
        let zenobia = SignUp {
            external_id: "zenobia".to_owned(),
            code: Some(ann.code.clone()),
            click_id: Some(follow(&harness, &eve.code, 9).await),
            ..SignUp::default()
        };
        let zenobia = host.sign_up(zenobia).await.unwrap().user;
        let person = Person { id: zenobia.id, external_id: zenobia.external_id, code: String::new() };
        choose_words(&harness, &person).await;
        let requests = bring_people(&harness, &ann).await;
        harness.fold_all().await;
        let own = format!("signup:{}", zenobia.id.typed(Noun::User));
        let mut before = notes(&harness).await;
        before.remove(&own).unwrap();
        assert_eq!(before.values_mut().map(hide_codes).sum::<usize>(), NOTED, "codes that were noted");

        let request = EraseUser { user: zenobia.id, reason: "asked".to_owned() };
        harness.engine().erase_user(request, "story").await.unwrap();
        let mut after = notes(&harness).await;
        assert_eq!(after.remove(&own), Some(json!({"attribution": "ATTRIBUTED"})));
        let shown = serde_json::to_string(&after).unwrap();
        assert!(WORDS.iter().all(|word| !shown.contains(&format!("\"code\":\"{word}\""))), "{shown}");
        assert_eq!(after.values_mut().map(hide_codes).sum::<usize>(), NOTED, "codes that say nothing now");
        assert_eq!(after, before);

        // Asking again gives what was found then, the clicks included.
        for request in requests {
            let again = host.sign_up(request.clone()).await.unwrap();
            assert_eq!((again.created, again.findings.outcome), (false, Outcome::Attributed));
            let clicks = usize::from(again.findings.click.is_some()) + again.findings.lost.len();
            assert_eq!(clicks, usize::from(request.click_id.is_some()), "{}", request.external_id);
            let via = if request.code.is_some() { Via::Code } else { Via::Link };
            assert_eq!(again.referral.map(|edge| edge.via), Some(via), "{}", request.external_id);
        }
        // Of the clicks, the one that came to nothing for who was erased is the only one that shows nothing more.
        let shown = "SELECT count(*) AS number FROM clicks WHERE ip_hash IS NOT NULL";
        assert_eq!(harness.sql().await.number(shown).await, 4);
        harness.finish().await;
    });
}

/// A code that a person had chosen is gone, and nobody gets it again, by whatever way.
#[test]
fn chosen_codes_are_never_given_out_again() {
    each_backend(async |harness| {
        let import = async |rows: &str| {
            let file = std::io::Cursor::new(format!("external_id,referrer_external_id,code\n{rows}"));
            harness.engine().import_users(file, &banyan::engine::import::Silent).await.unwrap().tally
        };
        import("zenobia,,ZENOBIA-Q\nben,zenobia,\n").await;
        let find = "query($id: String!) { user(by: {externalId: $id}) { id code } }";
        let data = harness.admin().run(find, json!({"id": "zenobia"})).await;
        assert_eq!(data["user"]["code"], "ZENOBIA-Q");
        erase(&harness, data["user"]["id"].as_str().unwrap(), "asked").await;
        assert_eq!(found(&harness, &["ZENOBIA".to_owned(), "ZEN0B1A".to_owned()]).await, [""; 0]);
        let preview = "query($code: String!) { referralCode(code: $code) { usable } }";
        let data = harness.anonymous().run(preview, json!({"code": "ZENOBIA-Q"})).await;
        assert_eq!(data["referralCode"], Value::Null);
        let other = newcomer(&harness, "another", None).await;
        let input = json!({"userId": typed(other.id), "code": "Zenobia-Q"});
        let create = "mutation($input: CreateReferralCodeInput!) { createReferralCode(input: $input) { \
            userErrors { code } } }";
        let data = harness.server().run(create, json!({"input": input})).await;
        assert_eq!(data["createReferralCode"]["userErrors"], json!([{"code": "CODE_TAKEN"}]));
        let tally = import("other,,zenobia-q\n").await;
        assert_eq!((tally.imported, tally.bad), (0, 1), "the code is taken for ever");
        harness.finish().await;
    });
}
