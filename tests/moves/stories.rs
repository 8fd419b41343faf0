//! What goes along with a move, and what stays.

use banyan::{
    domain::words::{Outcome, Via},
    engine::{RefusalCode, sign_up::SignUp},
};
use serde_json::{Value, json};

use crate::{
    family::{forbidden, is_right, levels, moves, refused, seen, upline, user, version},
    support::{Harness, Host, Person, Purse, each_backend, newcomer},
};

const NOTHING: [(i64, i64); 0] = [];

/// Ann brought Ben in, Ben brought Cleo in, Cleo brought Dan in; Eve came by herself. Dan has bought something.
struct Family {
    ann: Person,
    ben: Person,
    cleo: Person,
    dan: Person,
    eve: Person,
}

async fn family(harness: &Harness) -> Family {
    let ann = newcomer(harness, "ann", None).await;
    let ben = newcomer(harness, "ben", Some(&ann)).await;
    let cleo = newcomer(harness, "cleo", Some(&ben)).await;
    let dan = newcomer(harness, "dan", Some(&cleo)).await;
    let eve = newcomer(harness, "eve", None).await;
    Host::of(harness).buy("dan", "dan-1", "100.00").await.unwrap();
    harness.fold_all().await;
    Family { ann, ben, cleo, dan, eve }
}

fn dollars(available: i64) -> Purse {
    Purse { available: available * 100, ..Purse::EMPTY }
}

#[test]
fn a_branch_moves_with_everybody_in_it() {
    each_backend(async |harness| {
        let of = family(&harness).await;
        assert_eq!(levels(&harness, of.ann.id).await, [(1, 0), (1, 0), (1, 1)]);
        let (before, dan_before) = (version(&harness, of.ann.id).await, version(&harness, of.dan.id).await);
        harness.clock().pass_days(40);
        let payload = moves(&harness, of.cleo.id, of.eve.id).await;
        assert_eq!(payload["userErrors"], json!([]));
        assert_eq!(
            payload["user"],
            json!({
                "id": user(of.cleo.id), "status": "ACTIVE", "referrer": {"externalId": "eve"},
                "referral": {"via": "MOVE", "code": null, "status": "PENDING", "program": {"key": "default"}},
            })
        );
        assert_eq!(levels(&harness, of.ann.id).await, [(1, 0)]);
        assert_eq!(levels(&harness, of.ben.id).await, NOTHING);
        assert_eq!(levels(&harness, of.eve.id).await, [(1, 0), (1, 1)]);
        assert_eq!(levels(&harness, of.cleo.id).await, [(1, 1)]);
        assert_eq!(upline(&harness, of.dan.id).await, ["cleo", "eve"]);
        assert!(version(&harness, of.ann.id).await > before, "who watches Ann is told");
        assert_eq!(version(&harness, of.dan.id).await, dan_before, "nothing about Dan has changed");
        is_right(&harness, "after the move").await;

        // What Dan did before stays Cleo's; what Cleo does from now on is Eve's.
        assert_eq!(Purse::of(&harness, "cleo").await, dollars(10));
        Host::of(&harness).buy("cleo", "cleo-1", "50.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "eve").await, dollars(10));
        assert_eq!(Purse::of(&harness, "ben").await, Purse::EMPTY);
        assert_eq!(levels(&harness, of.eve.id).await, [(1, 1), (1, 1)]);
        is_right(&harness, "after a purchase").await;
        harness.finish().await;
    });
}

/// Completed referrals take their boards along, into the periods in which they were made and completed.
#[test]
fn boards_move_in_the_periods_of_what_moves() {
    each_backend(async |harness| {
        let of = family(&harness).await;
        harness.clock().pass_days(1);
        let score = async |metric: &str, period: &str, name: &str| {
            let query = "query($m: LeaderboardMetric!, $p: LeaderboardPeriod!, $at: DateTime) { \
                leaderboard(metric: $m, period: $p, at: $at) { nodes { score user { externalId } } } }";
            let variables = json!({"m": metric, "p": period, "at": "2026-03-04T12:00:00Z"});
            let data = harness.admin().run(query, variables).await;
            let nodes = data["leaderboard"]["nodes"].as_array().unwrap();
            let node = nodes.iter().find(|node| node["user"]["externalId"] == name);
            node.map_or(Value::Null, |node| node["score"].clone())
        };
        moves(&harness, of.dan.id, of.eve.id).await;
        harness.fold_all().await;
        for metric in ["SIGNUPS", "REFERRALS"] {
            for period in ["DAY", "WEEK", "MONTH", "ALL_TIME"] {
                assert_eq!(score(metric, period, "eve").await, json!("1"), "{metric} {period}");
                assert_eq!(score(metric, period, "cleo").await, Value::Null, "{metric} {period}");
            }
        }
        assert_eq!(score("NETWORK", "ALL_TIME", "eve").await, json!("1"));
        assert_eq!(score("NETWORK", "ALL_TIME", "ann").await, json!("2"));
        // Money stays.
        assert_eq!(score("REWARDS", "ALL_TIME", "cleo").await, json!("10.00"));
        is_right(&harness, "after the move").await;
        harness.finish().await;
    });
}

#[test]
fn what_waits_is_decided_as_things_stood_before() {
    each_backend(async |harness| {
        let of = family(&harness).await;
        let host = Host::of(&harness);
        host.buy("cleo", "cleo-1", "50.00").await.unwrap();
        let late = newcomer(&harness, "late", Some(&of.cleo)).await;
        host.move_user(of.cleo.id, of.eve.id).await.unwrap();
        host.buy("late", "late-1", "50.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "ben").await, dollars(10));
        assert_eq!(Purse::of(&harness, "eve").await, Purse::EMPTY);
        assert_eq!(levels(&harness, of.eve.id).await, [(1, 1), (2, 2)]);
        assert_eq!(levels(&harness, of.ann.id).await, [(1, 0)]);
        assert_eq!(upline(&harness, late.id).await, ["cleo", "eve"]);
        is_right(&harness, "after all").await;
        harness.finish().await;
    });
}

#[test]
fn a_root_that_is_moved_gets_a_referral_in_the_default_program() {
    each_backend(async |harness| {
        let of = family(&harness).await;
        let host = Host::of(&harness);
        harness.clock().pass_days(3);
        let payload = moves(&harness, of.eve.id, of.dan.id).await;
        assert_eq!(
            payload["user"]["referral"],
            json!({
            "via": "MOVE", "code": null, "status": "PENDING", "program": {"key": "default"}})
        );
        assert!(seen(&harness, of.eve.id).await["referral"]["createdAt"].as_str().unwrap().starts_with("2026-03-07"));
        assert_eq!(levels(&harness, of.ann.id).await, [(1, 0), (1, 0), (1, 1), (1, 0)]);
        let again = SignUp { external_id: "eve".to_owned(), ..SignUp::default() };
        let again = host.sign_up(again).await.unwrap();
        assert!(!again.created);
        assert_eq!(again.findings.outcome, Outcome::Attributed);
        assert_eq!(again.referral.map(|edge| (edge.via, edge.referrer_id)), Some((Via::Move, of.dan.id)));
        host.buy("eve", "eve-1", "20.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "dan").await, dollars(15), "5.00 for his own purchase, 10.00 for Eve's");
        is_right(&harness, "after the move of a root").await;
        harness.finish().await;
    });
}

/// What a root bought before fell under no program: the move makes nothing of it.
#[test]
fn what_a_root_did_before_stays_unpaid() {
    each_backend(async |harness| {
        let of = family(&harness).await;
        let host = Host::of(&harness);
        host.buy("eve", "eve-0", "20.00").await.unwrap();
        host.move_user(of.eve.id, of.dan.id).await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "dan").await, dollars(5));
        assert_eq!(seen(&harness, of.eve.id).await["referral"]["status"], "PENDING");
        is_right(&harness, "after the move").await;
        harness.finish().await;
    });
}

/// A refund after the move takes from whom was paid, claimed or not.
#[test]
fn debts_stay_with_whom_was_paid() {
    each_backend(async |harness| {
        let of = family(&harness).await;
        let host = Host::of(&harness);
        host.claim(of.cleo.id, "claim").await.unwrap();
        host.move_user(of.dan.id, of.eve.id).await.unwrap();
        host.refund("dan-1", "refund", None).await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "cleo").await, Purse { claimed: 1_000, debt: 1_000, ..Purse::EMPTY });
        assert_eq!(Purse::of(&harness, "dan").await, Purse::EMPTY);
        assert_eq!(Purse::of(&harness, "eve").await, Purse::EMPTY);
        assert_eq!(levels(&harness, of.eve.id).await, [(1, 0)], "reopened where it stands now");
        is_right(&harness, "after the refund").await;
        host.buy("dan", "dan-2", "10.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "eve").await, dollars(10));
        is_right(&harness, "after another purchase").await;
        harness.finish().await;
    });
}

/// Tiers are chosen by the referrals that somebody has when a reward is decided.
#[test]
fn tiers_follow_the_tree() {
    each_backend(async |harness| {
        let create = "mutation($input: CreateProgramInput!) { createProgram(input: $input) { \
            program { id } userErrors { message } } }";
        let tiers = json!([
            {"fromReferrals": 1, "pay": {"fixed": "1.00"}}, {"fromReferrals": 3, "pay": {"fixed": "5.00"}}]);
        let rule = json!({"key": "tiers", "on": {"event": "purchase"}, "to": "REFERRER", "pay": {"tiers": tiers}});
        let input = json!({"key": "t", "name": "T", "currencyCode": "USD", "rules": [rule], "activate": true});
        let data = harness.admin().run(create, json!({"input": input})).await;
        assert_eq!(data["createProgram"]["userErrors"], json!([]));
        let code = "mutation($input: CreateReferralCodeInput!) { createReferralCode(input: $input) { code { code } } }";
        let (mut ann, eve) = (newcomer(&harness, "ann", None).await, newcomer(&harness, "eve", None).await);
        let input = json!({"userId": user(ann.id), "programId": data["createProgram"]["program"]["id"]});
        let data = harness.server().run(code, json!({"input": input})).await;
        ann.code = data["createReferralCode"]["code"]["code"].as_str().unwrap().to_owned();
        let host = Host::of(&harness);
        let mut friends = Vec::new();
        for number in 0..3 {
            friends.push(newcomer(&harness, &format!("friend-{number}"), Some(&ann)).await);
        }
        for friend in &friends[..2] {
            host.buy(&friend.external_id, &friend.external_id, "10.00").await.unwrap();
        }
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "ann").await, dollars(2));
        host.move_user(friends[0].id, eve.id).await.unwrap();
        host.buy("friend-2", "friend-2", "10.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "ann").await, dollars(3), "two completed referrals are left: the first tier");
        is_right(&harness, "after all").await;
        harness.finish().await;
    });
}

#[test]
fn a_move_and_the_way_back_leave_what_was() {
    each_backend(async |harness| {
        let of = family(&harness).await;
        let host = Host::of(&harness);
        for _ in 0..3 {
            for (moved, to) in [(&of.cleo, &of.eve), (&of.cleo, &of.ben), (&of.ben, &of.eve), (&of.ben, &of.ann)] {
                host.move_user(moved.id, to.id).await.unwrap();
                is_right(&harness, &format!("{} below {}", moved.external_id, to.external_id)).await;
            }
        }
        assert_eq!(levels(&harness, of.ann.id).await, [(1, 0), (1, 0), (1, 1)]);
        let mut sql = harness.sql().await;
        assert_eq!(sql.number("SELECT count(*) AS number FROM referral_moves").await, 12);
        assert_eq!(sql.number("SELECT count(*) AS number FROM audit_log WHERE action = 'moveUser'").await, 12);
        // The history keeps what a move takes off a referral.
        let kept = "SELECT count(*) AS number FROM referral_moves WHERE from_via = 'CODE' AND from_code IS NOT NULL";
        assert_eq!(sql.number(kept).await, 2, "the first move of each of the two");
        harness.finish().await;
    });
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    each_backend(async |harness| {
        let of = family(&harness).await;
        let gone = newcomer(&harness, "gone", None).await;
        harness.fold_all().await;
        harness.sql().await.execute("UPDATE users SET status = 'ERASED' WHERE external_id = 'gone'").await;
        let nobody = "user_00000000000000000000000000";
        let (ann, ben, dan, eve) = (user(of.ann.id), user(of.ben.id), user(of.dan.id), user(of.eve.id));
        let gone = user(gone.id);
        let input = |moved: &str, to: &str, reason: &str| json!({"userId": moved, "referrerId": to, "reason": reason});
        let long = "x".repeat(501);
        for (input, code, field) in [
            (input(&ann, &ann, "r"), "WOULD_MAKE_CYCLE", "referrerId"),
            (input(&ann, &ben, "r"), "WOULD_MAKE_CYCLE", "referrerId"),
            (input(&ann, &dan, "r"), "WOULD_MAKE_CYCLE", "referrerId"),
            (input(&ben, &ann, "r"), "REFERRER_UNCHANGED", "referrerId"),
            (input(nobody, &ann, "r"), "USER_NOT_FOUND", "userId"),
            (input(&ann, nobody, "r"), "USER_NOT_FOUND", "referrerId"),
            (input("ann", &ann, "r"), "USER_NOT_FOUND", "userId"),
            (input(&ann, "ann", "r"), "USER_NOT_FOUND", "referrerId"),
            (input(&gone, &ann, "r"), "USER_NOT_FOUND", "userId"),
            (input(&ann, &gone, "r"), "USER_NOT_FOUND", "referrerId"),
            (input(&ben, &eve, " "), "INVALID_INPUT", "reason"),
            (input(&ben, &eve, &long), "INVALID_INPUT", "reason"),
        ] {
            let told = refused(&harness, input.clone()).await;
            assert_eq!(told, [(code.to_owned(), field.to_owned())], "{input}");
        }
        for (actor, code) in [
            (harness.anonymous(), "UNAUTHENTICATED"),
            (harness.member("ann"), "FORBIDDEN"),
            (harness.server(), "FORBIDDEN"),
        ] {
            assert_eq!(forbidden(&actor).await, code);
        }
        assert_eq!(harness.sql().await.number("SELECT count(*) AS number FROM referral_moves").await, 0);
        assert_eq!(levels(&harness, of.ann.id).await, [(1, 0), (1, 0), (1, 1)]);
        is_right(&harness, "after refusals").await;
        harness.finish().await;
    });
}

/// Suspended people earn nothing; their place in the tree can be put right all the same.
#[test]
fn suspended_people_can_be_moved_and_moved_to() {
    each_backend(async |harness| {
        let of = family(&harness).await;
        let suspend = "mutation($input: SuspendUserInput!) { suspendUser(input: $input) { user { status } } }";
        harness.admin().run(suspend, json!({"input": {"userId": user(of.eve.id), "reason": "r"}})).await;
        let host = Host::of(&harness);
        host.move_user(of.cleo.id, of.eve.id).await.unwrap();
        host.buy("cleo", "cleo-1", "50.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "eve").await, Purse::EMPTY);
        assert_eq!(levels(&harness, of.eve.id).await, [(1, 1), (1, 1)]);
        host.move_user(of.eve.id, of.ben.id).await.unwrap();
        assert_eq!(host.move_user(of.ben.id, of.dan.id).await.unwrap_err(), RefusalCode::WouldMakeCycle);
        is_right(&harness, "after all").await;
        harness.finish().await;
    });
}
