//! What is remembered of an erased person only as a keyed hash, when the key changes.

use banyan::{
    domain::{
        id::{Id, Noun},
        keyed_hash::HashKey,
        words::{ListingEffect, ListingSubject},
    },
    engine::{
        Engine, Error, RefusalCode, erase_user::EraseUser, import::Silent, listings::AddListing,
        referral_codes::CreateReferralCode, sign_up::SignUp,
    },
};
use serde_json::json;

use crate::{
    canaries::found,
    support::{Harness, each_backend, newcomer},
};

/// The same house with another key, and the one before it still known.
fn with_new_key(harness: &Harness) -> Engine {
    let mut engine = harness.engine().clone();
    engine.context.hash_key = HashKey::from_secret("a new key").with_former("the key of the stories");
    engine
}

async fn choose(engine: &Engine, user: Id, code: &str) -> Result<String, RefusalCode> {
    let request = CreateReferralCode { user, program: None, code: Some(code.to_owned()), expires_at: None };
    match engine.create_referral_code(request).await {
        Ok(code) => Ok(code.shown),
        Err(Error::Refused(refusal)) => Err(refusal.code),
        Err(Error::Failed(failure)) => panic!("{failure}"),
    }
}

#[test]
fn a_code_that_was_chosen_under_the_old_key_is_not_given_out_under_the_new_one() {
    each_backend(async |harness| {
        let zenobia = newcomer(&harness, "zenobia", None).await;
        let ben = newcomer(&harness, "ben", None).await;
        choose(harness.engine(), zenobia.id, "ZENOBIA-Q").await.unwrap();
        let erase = "mutation($id: ID!) { eraseUser(input: {userId: $id, reason: \"asked\"}) { userErrors { code } } }";
        let id = zenobia.id.typed(Noun::User);
        assert_eq!(harness.admin().run(erase, json!({"id": id})).await["eraseUser"]["userErrors"], json!([]));

        let engine = with_new_key(&harness);
        assert_eq!(choose(&engine, ben.id, "zenobia-q").await, Err(RefusalCode::CodeTaken));
        let file = std::io::Cursor::new("external_id,referrer_external_id,code\nother,,Zenobia-Q\n");
        let tally = engine.import_users(file, &Silent).await.unwrap().tally;
        assert_eq!((tally.imported, tally.bad), (0, 1), "the code is taken for ever");
        assert_eq!(choose(&engine, ben.id, "BEN-1").await.unwrap(), "BEN-1");
        harness.finish().await;
    });
}

#[test]
fn lists_that_name_a_person_under_the_old_key_are_found_under_the_new_one() {
    each_backend(async |harness| {
        let listing = |subject, value: &str| AddListing {
            effect: ListingEffect::Block,
            subject,
            value: value.to_owned(),
            reason: "Zenobia cheats".to_owned(),
            expires_at: None,
        };
        for (subject, value) in [(ListingSubject::Device, "tablet"), (ListingSubject::Referrer, "zenobia")] {
            harness.engine().add_listing(listing(subject, value), "story").await.unwrap();
        }
        let engine = with_new_key(&harness);
        let device_id = Some("tablet".to_owned());
        let request = SignUp { external_id: "zenobia".to_owned(), device_id, ..SignUp::default() };
        let user = engine.sign_up(request).await.unwrap().user.id;
        engine.erase_user(EraseUser { user, reason: "asked".to_owned() }, "story").await.unwrap();
        assert_eq!(found(&harness, &["zenobia".to_owned()]).await, [""; 0]);
        let left = "SELECT count(*) AS number FROM listings";
        assert_eq!(harness.sql().await.number(left).await, 1, "the device");
        let device = "SELECT count(*) AS number FROM listings WHERE subject = 'DEVICE' AND reason = 'erased'";
        assert_eq!(harness.sql().await.number(device).await, 1);
        harness.fold_all().await;
        harness.finish().await;
    });
}
