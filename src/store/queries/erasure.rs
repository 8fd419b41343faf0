//! Forgetting a person: what is written over, table by table. Which columns hold personal data at all is listed in
//! `tests/erasure`, and a test fails for a column that the list does not name.

use diesel::{prelude::*, sql_query, sql_types::Text};
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{
        id::Id,
        keyed_hash::KeyedHash,
        time::Timestamp,
        words::{CodeStatus, UserStatus},
    },
    store::{
        models::{Code, RetiredCode},
        requests::{DeedsAt, ReplacedCode},
        schema::{
            audit_log, clicks, codes, events, evidence, listings, outbox, referral_moves, referrals, retired_codes,
            reviews, signals, users,
        },
        sql_types::Uuid,
    },
};

/// Makes a user a nobody under another name of the host.
pub async fn anonymise(conn: &mut Connection, id: Id, external_id: &str) -> QueryResult<()> {
    let nobody = (
        users::external_id.eq(external_id),
        users::status.eq(UserStatus::Erased),
        users::display_name.eq(None::<String>),
        users::email_hash.eq(None::<KeyedHash>),
        users::phone_hash.eq(None::<KeyedHash>),
    );
    diesel::update(users::table.find(id)).set(nobody).execute(conn).await.map(drop)
}

/// Forgets what the host kept with the user's events, and the fingerprints by which a guess of it could be confirmed. Of
/// what the house itself notes with a signup so much is `left`.
pub async fn forget_metadata(conn: &mut Connection, user: Id, own_key: &str, left: Option<String>) -> QueryResult<()> {
    let signup = events::table.filter(events::key.eq(own_key));
    diesel::update(signup).set(events::metadata.eq(left)).execute(conn).await?;
    let told = events::table.filter(events::user_id.eq(user).and(events::metadata.is_not_null()));
    let update = diesel::update(told.filter(events::key.ne(own_key)));
    let nothing = (events::metadata.eq(None::<String>), events::fingerprint.eq(KeyedHash([0; 32])));
    update.set(nothing).execute(conn).await.map(drop)
}

/// Forgets where the user signed up from, and who clicked before they did.
pub async fn forget_evidence(conn: &mut Connection, user: Id, clicked: Vec<Id>) -> QueryResult<()> {
    diesel::delete(evidence::table.find(user)).execute(conn).await?;
    let nothing = (
        clicks::ip_hash.eq(None::<KeyedHash>),
        clicks::network_hash.eq(None::<KeyedHash>),
        clicks::device_hash.eq(None::<KeyedHash>),
        clicks::user_agent_hash.eq(None::<KeyedHash>),
        clicks::visit_key.eq(None::<KeyedHash>),
        clicks::utm.eq(None::<String>),
        clicks::earlier.eq(None::<String>),
    );
    diesel::update(clicks::table.filter(clicks::id.eq_any(clicked))).set(nothing).execute(conn).await.map(drop)
}

/// Writes over whatever people wrote about the user alone: reasons, evidence in words, errors.
pub async fn forget_words(conn: &mut Connection, user: Id, word: &str) -> QueryResult<()> {
    let reviewed = reviews::table.filter(reviews::referred_id.eq(user).and(reviews::reason.is_not_null()));
    diesel::update(reviewed).set(reviews::reason.eq(word)).execute(conn).await?;
    let suspected = signals::table.filter(signals::referred_id.eq(user));
    diesel::update(suspected).set(signals::evidence.eq("{}")).execute(conn).await?;
    let failed = outbox::table.filter(outbox::user_id.eq(user).and(outbox::last_error.is_not_null()));
    diesel::update(failed).set(outbox::last_error.eq(word)).execute(conn).await.map(drop)
}

/// Writes over why the user was moved, and why others were moved to them or away from them; says who was moved, and when.
/// All moves are read, as signups are for a code: an index would cost every move.
pub async fn forget_moves(conn: &mut Connection, user: Id, word: &str) -> QueryResult<Vec<(Id, Timestamp)>> {
    let of_others = referral_moves::to_referrer_id.eq(user).or(referral_moves::from_referrer_id.eq(user));
    let moved = referral_moves::table.filter(referral_moves::user_id.eq(user).or(of_others));
    let update = diesel::update(moved).set(referral_moves::reason.eq(word));
    update.returning((referral_moves::user_id, referral_moves::created_at)).get_results(conn).await
}

/// Writes over why people decided as they did about those whom the user brought in, now or before a move; says about whom.
/// What the `house` itself noted says nothing and stays.
pub async fn forget_reviews(conn: &mut Connection, user: Id, house: &str, word: &str) -> QueryResult<Vec<Id>> {
    let brought = referrals::table.filter(referrals::referrer_id.eq(user)).select(referrals::referred_id);
    let left = referral_moves::table.filter(referral_moves::from_referrer_id.eq(user)).select(referral_moves::user_id);
    let theirs = reviews::referred_id.eq_any(brought).or(reviews::referred_id.eq_any(left));
    let by_people = reviews::reason.is_not_null().and(reviews::actor.is_null().or(reviews::actor.ne(house)));
    let update = diesel::update(reviews::table.filter(theirs.and(by_people))).set(reviews::reason.eq(word));
    update.returning(reviews::referred_id).get_results(conn).await
}

/// Writes over the reasons of these entries of the lists.
pub async fn forget_listings(conn: &mut Connection, entries: Vec<Id>, word: &str) -> QueryResult<()> {
    let update = diesel::update(listings::table.filter(listings::id.eq_any(entries)));
    update.set(listings::reason.eq(word)).execute(conn).await.map(drop)
}

/// Deeds that were done to entries of the lists, from a line of the log on: number, entry and reason.
pub async fn listing_deeds(
    conn: &mut Connection,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<(i64, String, Option<String>)>> {
    let done = audit_log::table.filter(audit_log::action.eq_any(["addListing", "removeListing"]));
    let query = done.filter(audit_log::id.gt(after)).order(audit_log::id).limit(limit);
    query.select((audit_log::id, audit_log::subject, audit_log::reason)).load(conn).await
}

/// Writes over the reasons of all deeds that were done to these.
pub async fn forget_deeds(conn: &mut Connection, subjects: Vec<String>, word: &str) -> QueryResult<()> {
    let noted = audit_log::table.filter(audit_log::subject.eq_any(subjects).and(audit_log::reason.is_not_null()));
    diesel::update(noted).set(audit_log::reason.eq(word)).execute(conn).await.map(drop)
}

/// Writes over the reasons of deeds of one kind that were done to these at these instants.
pub async fn forget_deeds_at(conn: &mut Connection, deeds: DeedsAt, word: &str) -> QueryResult<()> {
    let DeedsAt { action, subjects, instants } = deeds;
    let named = audit_log::table.filter(audit_log::action.eq(action).and(audit_log::subject.eq_any(subjects)));
    let noted = named.filter(audit_log::created_at.eq_any(instants));
    diesel::update(noted).set(audit_log::reason.eq(word)).execute(conn).await.map(drop)
}

/// Switches all codes of a user off.
pub async fn disable_codes(conn: &mut Connection, user: Id) -> QueryResult<()> {
    let update = diesel::update(codes::table.filter(codes::user_id.eq(user)));
    update.set(codes::status.eq(CodeStatus::Disabled)).execute(conn).await.map(drop)
}

/// Puts a code that says nothing in the place of one that somebody had chosen, wherever it is named. Signups note by which
/// codes people came, or did not: these notes are read from end to end, for erasures of chosen codes are rare, and an
/// index would cost every event.
pub async fn replace_code(conn: &mut Connection, replaced: ReplacedCode) -> QueryResult<()> {
    let ReplacedCode { old, new, hash, at } = replaced;
    let retired = RetiredCode { hash, created_at: at };
    let insert = diesel::insert_into(retired_codes::table).values(retired).on_conflict_do_nothing();
    insert.execute(conn).await?;
    let row = Code { key: new.clone(), shown: new.clone(), status: CodeStatus::Disabled, ..old.clone() };
    diesel::insert_into(codes::table).values(row).execute(conn).await?;
    let clicked = clicks::table.filter(clicks::code_key.eq(&old.key));
    diesel::update(clicked).set(clicks::code_key.eq(&new)).execute(conn).await?;
    diesel::delete(codes::table.find(&old.key)).execute(conn).await?;
    let used = referrals::table.filter(referrals::referrer_id.eq(old.user_id).and(referrals::code.eq(&old.shown)));
    diesel::update(used).set(referrals::code.eq(&new)).execute(conn).await?;
    let noted = audit_log::table.filter(audit_log::subject.eq(&old.shown));
    diesel::update(noted).set(audit_log::subject.eq(&new)).execute(conn).await?;
    const SIGNUPS: &str = "UPDATE events SET metadata = replace(metadata, $1, $2) \
        WHERE event_type = 'signup' AND key LIKE 'signup:%' AND metadata LIKE $3";
    // Where notes name a code, they name it so; elsewhere the same word may be one of their own.
    let noted = |code: &str| format!("\"code\":\"{code}\"");
    let told = sql_query(SIGNUPS).bind::<Text, _>(noted(&old.shown)).bind::<Text, _>(noted(&new));
    told.bind::<Text, _>(format!("%{}%", noted(&old.shown))).execute(conn).await?;
    const MOVED: &str = "UPDATE referral_moves SET from_code = $1 WHERE from_referrer_id = $2 AND from_code = $3";
    let moved = sql_query(MOVED).bind::<Text, _>(&new).bind::<Uuid, _>(old.user_id).bind::<Text, _>(&old.shown);
    moved.execute(conn).await.map(drop)
}

/// Which of these codes were chosen by people who are erased.
pub async fn retired(conn: &mut Connection, hashes: Vec<KeyedHash>) -> QueryResult<Vec<KeyedHash>> {
    retired_codes::table.filter(retired_codes::hash.eq_any(hashes)).select(retired_codes::hash).load(conn).await
}
