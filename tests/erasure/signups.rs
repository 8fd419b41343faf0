//! Signing up by the code of somebody who is erased in the same moment.

use banyan::{
    domain::{id::Noun, words::Outcome},
    engine::{referral_codes::CreateReferralCode, sign_up::SignUp},
};
use serde_json::json;

use crate::{
    canaries::found,
    support::{Host, at_once, each_backend, newcomer},
};

/// Rounds of one erasure beside some signups.
const ROUNDS: usize = 20;

/// Either the erasure finds the signup, or the signup does not find the code.
#[test]
fn a_chosen_code_does_not_slip_in_beside_an_erasure() {
    each_backend(async |harness| {
        for round in 0..ROUNDS {
            let owner = newcomer(&harness, &format!("owner-{round}"), None).await;
            let code = format!("ZENOBIA-{round}");
            let request =
                CreateReferralCode { user: owner.id, program: None, code: Some(code.clone()), expires_at: None };
            harness.engine().create_referral_code(request).await.unwrap();
            let id = owner.id.typed(Noun::User);
            at_once(4, |task| {
                let (host, admin, id) = (Host::of(&harness), harness.admin(), id.clone());
                let external_id = format!("friend-{round}-{task}");
                let request = SignUp { external_id, code: Some(code.clone()), ..SignUp::default() };
                async move {
                    if task == 0 {
                        let erase = "mutation($id: ID!) { eraseUser(input: {userId: $id, reason: \"asked\"}) { \
                            userErrors { code } } }";
                        let data = admin.run(erase, json!({"id": id})).await;
                        assert_eq!(data["eraseUser"]["userErrors"], json!([]));
                        return;
                    }
                    let signed_up = host.sign_up(request).await.unwrap();
                    let expected = match signed_up.referral {
                        Some(_) => Outcome::Attributed,
                        None => Outcome::CodeUnknown,
                    };
                    assert_eq!(signed_up.findings.outcome, expected);
                }
            })
            .await;
            let left = found(&harness, &["zenobia".to_owned(), "ZEN0B1A".to_owned()]).await;
            assert_eq!(left, [""; 0], "{code}");
        }
        harness.fold_all().await;
        harness.finish().await;
    });
}
