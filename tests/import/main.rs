//! What an import promises: everything that is good comes in once, whatever the order; everything that is bad is told;
//! and afterwards every counter is what a recount from the rows says.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod house;

use std::io::Cursor;

use banyan::{
    domain::time::Timestamp,
    engine::{
        demo::{Seeded, Shape, UsersSpec, write_users},
        fold::Folded,
        import::{ImportError, Payment},
    },
};
use house::{House, Told};

/// Runs each story on both databases.
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let house = super::House::sqlite().await;
                super::$story(&house).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                let Some(house) = super::House::postgres().await else { return };
                super::$story(&house).await;
                house.drop_database().await;
            })+
        }
    };
}

stories!(
    referrers_may_come_later,
    every_bad_row_is_told_and_the_others_come_in,
    rings_and_strangers_stay_out,
    codes_are_kept_or_made,
    importing_again_changes_nothing,
    a_forest_is_counted_exactly,
    two_imports_of_one_file_make_one_forest,
    a_broken_file_leaves_what_came_before,
    who_counts_at_the_same_time_counts_once,
    events_are_accepted_as_of_when_they_happened,
    bad_events_are_told,
    events_without_rewards_pay_nothing,
    two_imports_of_one_file_of_events_make_each_once,
    the_demonstration_fills_itself_once,
);

async fn referrers_may_come_later(house: &House) {
    let (told, tally) = house
        .import(
            "created_at,referrer_external_id,external_id\n\
             2026-03-03,ben,eve\n\
             2026-02-02T10:00:00+02:00,ann,ben\n\
             ,eve,joe\n\
             2026-01-01,,ann\n",
        )
        .await;
    assert_eq!(told, Vec::<String>::new());
    assert_eq!((tally.rows, tally.imported, tally.counted), (4, 4, 3));
    assert_eq!(house.edges().await, ["ben<ann", "eve<ben", "joe<eve"]);
    let order = "SELECT external_id AS line FROM users ORDER BY id";
    assert_eq!(house.lines(order).await, ["ann", "ben", "eve", "joe"], "ids sort by the time of signup");
    house.assert_counted().await;
    let ann = "SELECT CAST(network AS text) || ':' || signups_1 || ',' || signups_2 || ',' || signups_3 AS line \
               FROM user_totals JOIN users ON users.id = user_id WHERE external_id = 'ann'";
    assert_eq!(house.lines(ann).await, ["3:1,1,1"]);
    assert_eq!(house.number("SELECT count(*) FROM outbox").await, 0, "an import of users leaves nothing to fold");
    assert_eq!(house.number("SELECT count(*) FROM events").await, 0);
}

async fn every_bad_row_is_told_and_the_others_come_in(house: &House) {
    let long = "x".repeat(256);
    let mut file = b"external_id,referrer_external_id,code,display_name,created_at\n\
        ann,,,Ann,\n\
        ,ann,,,\n\
        b\xffn,,,,\n\
        ben,ben,,,\n\
        eve,,,,yesterday\n\
        joe,,,,2999-01-01\n\
        kim,,no code!,,\n\
        lee,,,\"a\nb\",\n\
        max,ann\n\
        "
    .to_vec();
    file.extend(format!("{long},,,,\n").bytes());
    file.extend(format!("ned,,,{long},\n").bytes());
    file.extend(b"ola,,ANN-1,,\npia,,ann-i,,\nzoe,ann,,,\n");
    let (told, tally) = house.import(file).await;
    let expected = [
        "line 3: external_id is missing",
        "line 4: external_id is not UTF-8",
        "line 5: `ben` cannot be their own referrer",
        "line 6: created_at is `yesterday`, not a time",
        "line 7: created_at lies in the future",
        "line 8: `no code!` cannot be a code",
        "line 9: display_name must not contain control characters",
        "line 11: has 2 columns where the header has 5",
        "line 12: external_id is at most 255 characters long",
        "line 13: display_name is at most 100 characters long",
        "line 15: the code `ann-i` is taken",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (line, beginning) in told.iter().zip(expected) {
        assert!(line.starts_with(beginning), "{line} / {beginning}");
    }
    assert_eq!((tally.rows, tally.imported, tally.bad), (14, 3, 11));
    assert_eq!(house.edges().await, ["zoe<ann"]);
    for (header, says) in [
        ("external_id,email\n", "unknown column `email`"),
        ("code\n", "the column external_id is missing"),
        ("", "the column external_id is missing"),
    ] {
        let refused = house.engine.import_users(Cursor::new(header), &Told::default()).await.unwrap_err();
        assert!(matches!(&refused, ImportError::Header(_)) && refused.to_string().contains(says), "{refused}");
    }
}

async fn rings_and_strangers_stay_out(house: &House) {
    house.import("external_id\nold\n").await;
    let (told, tally) = house
        .import(
            "external_id,referrer_external_id\n\
             a,b\nb,c\nc,a\nbelow,a\nlost,nobody\nlower,lost\nold,lost\nfine,old\nfine,a\n",
        )
        .await;
    let expected = [
        "line 2: the chain of referrers leads back to the row itself, through `b`",
        "line 3: the chain of referrers leads back to the row itself, through `c`",
        "line 4: the chain of referrers leads back to the row itself, through `a`",
        "line 5: the referrer `a` was not imported, see their own row",
        "line 6: the referrer `nobody` is neither in the database nor in a good row of the file",
        "line 7: the referrer `lost` was not imported, see their own row",
    ];
    assert_eq!(told, expected);
    assert_eq!((tally.imported, tally.already_there, tally.bad), (1, 2, 6));
    assert_eq!(house.edges().await, ["fine<old"], "who is there already keeps what they have");
    house.assert_counted().await;
}

async fn codes_are_kept_or_made(house: &House) {
    let (told, _) = house.import("external_id,code\nann, Ann-Lee \nben,\neve,annlee\n").await;
    assert_eq!(told, ["line 4: the code `annlee` is taken"]);
    let codes = "SELECT external_id || ' ' || kind || ' ' || CASE kind WHEN 'VANITY' THEN shown || ' ' || key \
                 ELSE CAST(length(key) AS text) END AS line FROM codes JOIN users ON users.id = user_id ORDER BY 1";
    assert_eq!(house.lines(codes).await, ["ann VANITY Ann-Lee ANN1EE", "ben GENERATED 11"]);
    let (told, _) = house.import("external_id,code\nkim,ANNLEE\nann,ANNLEE\n").await;
    assert_eq!(told, ["line 2: the code `ANNLEE` is taken"], "a known person is left as they are");
}

async fn importing_again_changes_nothing(house: &House) {
    let file = forest(500, Shape::Network, Order::Reversed);
    let (_, first) = house.import(file.clone()).await;
    assert_eq!((first.imported, first.already_there), (500, 0));
    let before = house.everything().await;
    let (told, second) = house.import(file).await;
    assert_eq!((second.imported, second.already_there, second.counted, told.len()), (0, 500, 0, 0));
    assert_eq!(house.everything().await, before);
}

async fn a_forest_is_counted_exactly(house: &House) {
    for (shape, order) in [
        (Shape::Recruiters, Order::Shuffled),
        (Shape::Network, Order::AsGenerated),
        (Shape::Chain, Order::Reversed),
        (Shape::Star, Order::Reversed),
    ] {
        let people = if shape == Shape::Recruiters { 3_000 } else { 700 };
        let (told, tally) = house.import(forest(people, shape, order)).await;
        assert_eq!((told.len(), tally.imported), (0, u64::from(people)), "{shape:?}");
    }
    assert_eq!(house.number("SELECT count(*) FROM users").await, 5_100);
    let deepest = "SELECT max(level) FROM (WITH RECURSIVE t(id, level) AS (\
        SELECT id, 0 FROM users WHERE external_id = 'chain-1' UNION ALL \
        SELECT referred_id, level + 1 FROM t JOIN referrals ON referrer_id = t.id) SELECT level FROM t) AS levels";
    assert_eq!(house.number(deepest).await, 699);
    house.assert_counted().await;
}

async fn two_imports_of_one_file_make_one_forest(house: &House) {
    let file = forest(3_000, Shape::Recruiters, Order::Shuffled);
    let again = forest(3_000, Shape::Recruiters, Order::Reversed);
    let (one, other) = tokio::join!(house.import(file), house.import(again));
    assert_eq!(one.1.imported + other.1.imported, 3_000, "{one:?} {other:?}");
    assert_eq!(one.1.already_there + other.1.already_there, 3_000);
    assert_eq!((one.0.len(), other.0.len()), (0, 0), "{:?} {:?}", one.0, other.0);
    assert_eq!(one.1.counted + other.1.counted, house.edges().await.len() as u64);
    house.assert_counted().await;
}

async fn a_broken_file_leaves_what_came_before(house: &House) {
    let file = format!("external_id,referrer_external_id\nann,\nben,ann\n\"{}", "x,\n".repeat(600_000));
    let told = Told::default();
    let broken = house.engine.import_users(Cursor::new(file), &told).await.unwrap_err();
    assert!(broken.to_string().contains("line 4: "), "{broken}");
    let people = house.number("SELECT count(*) FROM users").await;
    assert!(people == 0 || people == 2, "a chunk is all or nothing: {people}");
    house.assert_counted().await;
}

async fn who_counts_at_the_same_time_counts_once(house: &House) {
    house.import(forest(1_000, Shape::Network, Order::AsGenerated)).await;
    let edges = house.edges().await.len();
    // As an import leaves it that is killed before it counted.
    house.run("UPDATE user_totals SET network = 0, network_at = NULL, signups_1 = 0, signups_2 = 0, signups_3 = 0, signups_4 = 0, signups_5 = 0, signups_6 = 0, signups_7 = 0, signups_8 = 0, signups_9 = 0, signups_10 = 0").await;
    house.run("DELETE FROM board_deltas").await;
    house.run("INSERT INTO uncounted (referrer_id, user_id) SELECT referrer_id, referred_id FROM referrals").await;
    let count = || async {
        let mut counted = 0;
        for _ in 0..edges {
            counted += house.engine.count_imported(37).await.expect("counting");
        }
        counted
    };
    let (one, other, third) = tokio::join!(count(), count(), count());
    assert_eq!(one + other + third, edges);
    house.assert_counted().await;
}

async fn events_are_accepted_as_of_when_they_happened(house: &House) {
    house.import("external_id,referrer_external_id\nann,\nben,ann\n").await;
    let file = "external_id,type,amount,currency,idempotency_key,occurred_at\n\
        ben,visit,,,k1,2026-01-03\n\
        ben,purchase,12.50,USD,k2,2026-01-02T03:04:05Z\n\
        ann,purchase,1,POINTS,k3,\n\
        ben,purchase,12.50,USD,k2,2026-01-02T03:04:05Z\n";
    let (told, tally) = house.import_events(file, Payment::AsRecorded).await;
    assert_eq!((told.len(), tally.imported, tally.already_there), (0, 3, 1), "{told:?}");
    let order = "SELECT key AS line FROM events ORDER BY seq";
    assert_eq!(house.lines(order).await, ["k1", "k2", "k3"], "the order of the file is the order of acceptance");
    assert_eq!(house.number("SELECT count(*) FROM outbox").await, 2, "one row for each person");
    assert_eq!(house.number("SELECT count(*) FROM events WHERE received_at <> occurred_at").await, 0);
    let (told, tally) = house.import_events(file, Payment::AsRecorded).await;
    assert_eq!(
        (told.len(), tally.imported, tally.already_there),
        (0, 0, 4),
        "a time that is not given is not compared"
    );
    house.fold().await;
    let rewards = "SELECT external_id || ' ' || rule_key || ' ' || amount AS line FROM rewards \
                   JOIN users ON users.id = rewards.user_id ORDER BY 1";
    assert_eq!(house.lines(rewards).await, ["ann referrer_bonus 1000", "ben welcome_bonus 500"]);
    let completed = "SELECT count(*) FROM referrals WHERE status = 'COMPLETED'";
    assert_eq!(house.number(completed).await, 1);
    assert_eq!(house.engine.ledger_check().await.unwrap(), Vec::<String>::new());
}

async fn bad_events_are_told(house: &House) {
    house.import("external_id,referrer_external_id\nann,\nben,ann\n").await;
    let (told, tally) = house
        .import_events(
            "external_id,type,amount,currency,idempotency_key,occurred_at\n\
             ben,purchase,5,USD,k1,\n\
             ben,purchase,6,USD,k1,\n\
             nobody,purchase,5,USD,k2,\n\
             ben,Purchase,5,USD,k3,\n\
             ben,purchase,-5,USD,k4,\n\
             ben,purchase,5.001,USD,k5,\n\
             ben,purchase,5,EUR,k6,\n\
             ben,purchase,5,XXQ,k7,\n\
             ben,purchase,five,USD,k8,\n\
             ben,purchase,5,,k9,\n\
             ben,purchase,,USD,k10,\n\
             ben,purchase,5,USD,,\n\
             ben,purchase,5,USD,signup:x,\n\
             ben,purchase,5,USD,k11,soon\n\
             ben,purchase,5,USD,k12,2999-01-01\n\
             ,purchase,5,USD,k13,\n",
            Payment::AsRecorded,
        )
        .await;
    let expected = [
        "line 3: the key `k1` belongs to another event",
        "line 4: there is no user `nobody`",
        "line 5: an event type has 1 to 64",
        "line 6: an amount must not be negative",
        "line 7: USD has 2 decimal places",
        "line 8: the program `default` is in USD, not in EUR",
        "line 9: `XXQ` is neither a currency",
        "line 10: amount is `five`",
        "line 11: an amount needs a currency",
        "line 12: a currency needs an amount",
        "line 13: idempotency_key is missing",
        "line 14: keys that begin with `signup:` are reserved",
        "line 15: occurred_at is `soon`",
        "line 16: occurred_at lies in the future",
        "line 17: external_id is missing",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (line, beginning) in told.iter().zip(expected) {
        assert!(line.starts_with(beginning), "{line} / {beginning}");
    }
    assert_eq!((tally.imported, tally.bad), (1, 15));
}

async fn events_without_rewards_pay_nothing(house: &House) {
    house.import("external_id,referrer_external_id\nann,\nben,ann\neve,ann\n").await;
    let header = "external_id,type,amount,currency,idempotency_key\n";
    house.import_events(&format!("{header}ben,purchase,5,USD,k1\n"), Payment::Nothing).await;
    house.import_events(&format!("{header}ben,purchase,5,USD,k2\n"), Payment::AsRecorded).await;
    house.fold().await;
    assert_eq!(house.number("SELECT count(*) FROM rewards").await, 0, "the first purchase was the one that counts");
    assert_eq!(house.number("SELECT count(*) FROM referrals WHERE status = 'COMPLETED'").await, 1);
}

async fn two_imports_of_one_file_of_events_make_each_once(house: &House) {
    house.import(forest(200, Shape::Recruiters, Order::AsGenerated)).await;
    let mut file = "external_id,type,amount,currency,idempotency_key,occurred_at\n".to_owned();
    for number in 0..2_000 {
        file += &format!("recruiters-{},purchase,5,USD,k{number},2026-10-10\n", number % 200 + 1);
    }
    let (one, other) =
        tokio::join!(house.import_events(&file, Payment::AsRecorded), house.import_events(&file, Payment::AsRecorded));
    assert_eq!((one.1.imported + other.1.imported, one.1.bad + other.1.bad), (2_000, 0), "{one:?} {other:?}");
    house.fold().await;
    assert_eq!(house.number("SELECT count(*) FROM events WHERE decided_no IS NOT NULL").await, 2_000);
    assert_eq!(house.engine.ledger_check().await.unwrap(), Vec::<String>::new());
}

async fn the_demonstration_fills_itself_once(house: &House) {
    assert_eq!(house.engine.seed_demo(300, 1).await.unwrap(), Seeded::Made);
    assert_eq!(house.number("SELECT count(*) FROM users").await, 300);
    for (what, query) in [
        ("rewards", "SELECT count(*) FROM rewards"),
        ("refunds", "SELECT count(*) FROM refunds WHERE applied > 0"),
        ("claims", "SELECT count(*) FROM claims"),
        (
            "the first one's people",
            "SELECT count(*) FROM referrals JOIN users ON users.id = referrer_id WHERE external_id = 'demo-1'",
        ),
    ] {
        assert!(house.number(query).await > 0, "{what}");
    }
    house.assert_counted().await;
    assert_eq!(house.engine.ledger_check().await.unwrap(), Vec::<String>::new());
    let before = house.everything().await;
    assert_eq!(house.engine.seed_demo(300, 1).await.unwrap(), Seeded::AlreadyThere);
    assert_eq!(house.everything().await, before);
    house.engine.demo_activity(300, tokio::time::sleep(std::time::Duration::from_millis(1_600))).await;
    assert!(house.number("SELECT count(*) FROM users").await > 300, "somebody signs up every 1.5 s or sooner");
    while !matches!(house.engine.fold(100).await.unwrap(), Folded::Nothing) {}
    house.assert_counted().await;
}

/// In which order the rows of a file stand.
#[derive(Clone, Copy)]
enum Order {
    AsGenerated,
    Reversed,
    Shuffled,
}

fn forest(people: u32, shape: Shape, order: Order) -> Vec<u8> {
    let spec = UsersSpec {
        people,
        shape,
        seed: 5,
        prefix: format!("{}-", shape.word()),
        since: Timestamp::parse("2024-01-01").unwrap(),
        until: Timestamp::parse("2026-11-20").unwrap(),
    };
    let mut file = Vec::new();
    write_users(&mut file, &spec).unwrap();
    let text = String::from_utf8(file).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    match order {
        Order::AsGenerated => {}
        Order::Reversed => rows.reverse(),
        // Sorted by what stands in the middle of a row, which has nothing to do with who brought in whom.
        Order::Shuffled => {
            rows.sort_by_key(|row| row.bytes().rev().skip(5).map(u64::from).fold(7, |a, b| a * 31 % 8_191 + b))
        }
    }
    format!("{header}\n{}\n", rows.join("\n")).into_bytes()
}
