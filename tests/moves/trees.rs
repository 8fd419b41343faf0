//! Moves in trees deeper than networks are counted, and among what is not counted yet.

use banyan::{
    domain::id::{Id, Noun},
    engine::{RefusalCode, import::Silent},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;

use crate::{
    family::{circles, is_right, levels, user},
    support::{Harness, Host, Person, each_backend, newcomer},
};

/// A line of people, each brought in by the one before; every third one has bought something.
async fn line(harness: &Harness, name: &str, length: usize) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for number in 0..length {
        let person = newcomer(harness, &format!("{name}-{number}"), people.last()).await;
        if number > 0 && number % 3 == 0 {
            Host::of(harness).buy(&person.external_id, &person.external_id, "10.00").await.unwrap();
        }
        people.push(person);
    }
    harness.fold_all().await;
    people
}

#[test]
fn a_line_longer_than_a_network_is_cut_and_joined() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        let (left, right) = (line(&harness, "left", 15).await, line(&harness, "right", 13).await);
        for (what, moved, to) in [
            ("the upper end goes below the other line", &left[0], &right[12]),
            ("cut in the middle", &right[6], &left[3]),
            ("a long part goes to its own top", &left[9], &left[0]),
            ("one person alone", &left[14], &right[0]),
            ("everything below one person", &right[1], &left[14]),
        ] {
            match host.move_user(moved.id, to.id).await {
                Ok(_) => is_right(&harness, what).await,
                Err(refusal) => assert_eq!(refusal, RefusalCode::WouldMakeCycle, "{what}"),
            }
            assert_eq!(circles(&harness).await, 0, "{what}");
        }
        harness.finish().await;
    });
}

/// Random moves, one after the other, in one growing tree; who is rejected as fraud counts nowhere, and who is below does.
#[test]
fn each_of_many_moves_leaves_what_a_recount_says() {
    each_backend(async |harness| {
        let (host, mut random) = (Host::of(&harness), StdRng::seed_from_u64(7));
        let mut people = line(&harness, "line", 13).await;
        for round in 0..60 {
            let any = |random: &mut StdRng| random.random_range(0..people.len());
            let (moved, to, above) = (any(&mut random), any(&mut random), any(&mut random));
            harness.clock().pass_seconds(random.random_range(0..40_000));
            let new = newcomer(&harness, &format!("new-{round}"), Some(&people[above])).await;
            if random.random_bool(0.4) {
                host.buy(&new.external_id, &new.external_id, "10.00").await.unwrap();
            }
            if random.random_bool(0.3) {
                harness.fold_all().await;
            }
            let answer = host.move_user(people[moved].id, people[to].id).await;
            people.push(new);
            if answer.is_ok() && round % 3 == 0 {
                is_right(&harness, &format!("round {round}")).await;
            }
        }
        assert_eq!(circles(&harness).await, 0);
        is_right(&harness, "in the end").await;
        harness.finish().await;
    });
}

/// An imported referral waits until it is counted; where it stands by then, it is counted.
#[test]
fn what_waits_to_be_counted_is_counted_where_it_went() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        let (ann, eve) = (newcomer(&harness, "ann", None).await, newcomer(&harness, "eve", None).await);
        harness.fold_all().await;
        let ben = newcomer(&harness, "ben", Some(&ann)).await;
        let cleo = newcomer(&harness, "cleo", Some(&ben)).await;
        for name in ["ben", "cleo"] {
            as_imported(&harness, name).await;
        }
        host.move_user(ben.id, eve.id).await.unwrap();
        assert_eq!(levels(&harness, ann.id).await, []);
        assert_eq!(levels(&harness, eve.id).await, []);
        harness.fold_all().await;
        assert_eq!(levels(&harness, ann.id).await, []);
        assert_eq!(levels(&harness, eve.id).await, [(1, 0), (1, 0)]);
        host.move_user(cleo.id, ann.id).await.unwrap();
        assert_eq!(levels(&harness, ann.id).await, [(1, 0)]);
        is_right(&harness, "after all").await;
        harness.finish().await;
    });
}

/// Turns somebody who just signed up into somebody who was just imported.
async fn as_imported(harness: &Harness, name: &str) {
    let id = format!("(SELECT id FROM users WHERE external_id = '{name}')");
    let text = format!(
        "DELETE FROM outbox WHERE user_id = {id}; DELETE FROM events WHERE user_id = {id}; \
         UPDATE referrals SET via = 'IMPORT' WHERE referred_id = {id}; \
         INSERT INTO uncounted (referrer_id, user_id) SELECT referrer_id, referred_id FROM referrals \
         WHERE referred_id = {id}"
    );
    harness.sql().await.execute(&text).await;
}

/// A referral that was rejected as fraud counts nowhere, moved or not; who is below counts.
#[test]
fn a_rejected_referral_moves_without_being_counted() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        let (ann, eve) = (newcomer(&harness, "ann", None).await, newcomer(&harness, "eve", None).await);
        let ben = newcomer(&harness, "ben", Some(&ann)).await;
        newcomer(&harness, "cleo", Some(&ben)).await;
        harness.fold_all().await;
        const DENY: &str = "mutation($input: ReviewReferralInput!) { reviewReferral(input: $input) { \
            referral { status } } }";
        let input = json!({"referralId": ben.id.typed(Noun::Referral), "decision": "DENY", "reason": "a story"});
        let denied = harness.admin().run(DENY, json!({"input": input})).await;
        assert_eq!(denied["reviewReferral"]["referral"]["status"], "REJECTED");
        harness.fold_all().await;
        assert_eq!(levels(&harness, ann.id).await, [(0, 0), (1, 0)]);
        host.move_user(ben.id, eve.id).await.unwrap();
        assert_eq!(levels(&harness, eve.id).await, [(0, 0), (1, 0)]);
        assert_eq!(levels(&harness, ann.id).await, []);
        is_right(&harness, &user(ben.id)).await;
        harness.finish().await;
    });
}

/// The newest of a network, by which ties on its board are broken, is found again however deep it stands.
#[test]
fn the_newest_of_a_network_is_found_again() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        let (line, other) = (line(&harness, "line", 14).await, newcomer(&harness, "other", None).await);
        // The newest on level 10 of the top, one on level 11, and one on level 3 that is older.
        let mut newest: Vec<Id> = Vec::new();
        for (name, above) in [("three", 2), ("ten", 9), ("eleven", 10)] {
            newest.push(newcomer(&harness, name, Some(&line[above])).await.id);
        }
        is_right(&harness, "before").await;
        for (moved, to) in
            [(newest[1], other.id), (newest[2], line[8].id), (newest[2], line[12].id), (newest[0], other.id)]
        {
            host.move_user(moved, to).await.unwrap();
            is_right(&harness, &format!("{moved} below {to}")).await;
        }
        harness.finish().await;
    });
}

/// The tree has no depth at which a circle would be overlooked.
#[test]
fn a_circle_is_seen_from_any_depth() {
    const LENGTH: usize = 10_050;
    each_backend(async |harness| {
        let row = |number: usize| match number {
            0 => "p0,,\n".to_owned(),
            _ => format!("p{number},p{},\n", number - 1),
        };
        let rows: String = (0..LENGTH).map(row).collect();
        let file = std::io::Cursor::new(format!("external_id,referrer_external_id,code\n{rows}"));
        harness.engine().import_users(file, &Silent).await.unwrap();
        let (top, bottom) = (known(&harness, "p0").await, known(&harness, &format!("p{}", LENGTH - 1)).await);
        let (host, other) = (Host::of(&harness), newcomer(&harness, "other", None).await);
        assert_eq!(host.move_user(top, bottom).await.unwrap_err(), RefusalCode::WouldMakeCycle);
        host.move_user(other.id, bottom).await.unwrap();
        assert_eq!(host.move_user(top, other.id).await.unwrap_err(), RefusalCode::WouldMakeCycle);
        is_right(&harness, "a long line").await;
        harness.finish().await;
    });
}

async fn known(harness: &Harness, external_id: &str) -> Id {
    use banyan::domain::id::{Noun, parse_as};
    let query = "query($id: String!) { user(by: {externalId: $id}) { id } }";
    let data = harness.admin().run(query, serde_json::json!({"id": external_id})).await;
    parse_as(Noun::User, data["user"]["id"].as_str().unwrap()).unwrap()
}
