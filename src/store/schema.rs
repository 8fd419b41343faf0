// @generated automatically by Diesel CLI.

diesel::table! {
    use crate::store::sql_types::*;

    accounts (user_id, currency) {
        user_id -> Uuid,
        currency -> Text,
        pending -> Int8,
        available -> Int8,
        withheld -> Int8,
        claimed -> Int8,
        paid -> Int8,
        debt -> Int8,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    api_keys (id) {
        id -> Uuid,
        name -> Text,
        role -> Text,
        prefix -> Text,
        hash -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        scopes -> Nullable<Text>,
        cost_per_second -> Nullable<Int4>,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    audit_log (id) {
        id -> Int8,
        actor -> Text,
        action -> Text,
        subject -> Text,
        reason -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    board_deltas (id) {
        id -> Int8,
        program_id -> Uuid,
        metric -> Text,
        user_id -> Uuid,
        amount -> Int8,
        at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    board_histogram (program_id, metric, period, starts_at, bucket) {
        program_id -> Uuid,
        metric -> Text,
        period -> Text,
        starts_at -> Timestamptz,
        bucket -> Int8,
        users -> Int8,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    board_scores (program_id, metric, period, starts_at, user_id) {
        program_id -> Uuid,
        metric -> Text,
        period -> Text,
        starts_at -> Timestamptz,
        user_id -> Uuid,
        score -> Int8,
        reached_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    boards (program_id, metric) {
        program_id -> Uuid,
        metric -> Text,
        version -> Int8,
        day_starts_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    caps (program_id, rule_key, scope, starts_at) {
        program_id -> Uuid,
        rule_key -> Text,
        scope -> Text,
        starts_at -> Timestamptz,
        used_count -> Int8,
        used_amount -> Int8,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    claim_requests (user_id, key) {
        user_id -> Uuid,
        key -> Text,
        fingerprint -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    claims (id) {
        id -> Uuid,
        user_id -> Uuid,
        request_key -> Text,
        currency -> Text,
        amount -> Int8,
        netted -> Int8,
        status -> Text,
        reference -> Nullable<Text>,
        created_at -> Timestamptz,
        settled_at -> Nullable<Timestamptz>,
        credited -> Int8,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    clicks (id) {
        id -> Uuid,
        code_key -> Text,
        program_id -> Uuid,
        user_id -> Uuid,
        ip_hash -> Nullable<Bytea>,
        network_hash -> Nullable<Bytea>,
        device_hash -> Nullable<Bytea>,
        utm -> Nullable<Text>,
        created_at -> Timestamptz,
        visit_key -> Nullable<Bytea>,
        user_agent_hash -> Nullable<Bytea>,
        earlier -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    codes (key) {
        key -> Text,
        shown -> Text,
        user_id -> Uuid,
        program_id -> Uuid,
        kind -> Text,
        status -> Text,
        expires_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    events (id) {
        id -> Uuid,
        user_id -> Uuid,
        seq -> Int8,
        event_type -> Text,
        amount -> Nullable<Int8>,
        currency -> Nullable<Text>,
        key -> Text,
        fingerprint -> Bytea,
        metadata -> Nullable<Text>,
        occurred_at -> Timestamptz,
        received_at -> Timestamptz,
        program_id -> Nullable<Uuid>,
        program_version -> Nullable<Int4>,
        program_active -> Bool,
        pays -> Bool,
        remaining -> Nullable<Int8>,
        decided_no -> Nullable<Int8>,
        decisions -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    evidence (user_id) {
        user_id -> Uuid,
        ip_hash -> Nullable<Bytea>,
        network_hash -> Nullable<Bytea>,
        device_hash -> Nullable<Bytea>,
        user_agent_hash -> Nullable<Bytea>,
        created_at -> Timestamptz,
        referrer_id -> Nullable<Uuid>,
        email_hash -> Nullable<Bytea>,
        alias_hash -> Nullable<Bytea>,
        domain_hash -> Nullable<Bytea>,
        disposable -> Bool,
        former_ip_hash -> Nullable<Bytea>,
        former_network_hash -> Nullable<Bytea>,
        former_device_hash -> Nullable<Bytea>,
        former_alias_hash -> Nullable<Bytea>,
        former_domain_hash -> Nullable<Bytea>,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    fold_gate (id) {
        id -> Int4,
        wanted_until_second -> Int8,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    fraud_rows (user_id) {
        user_id -> Uuid,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    listings (id) {
        id -> Uuid,
        effect -> Text,
        subject -> Text,
        subject_hash -> Bytea,
        reason -> Text,
        actor -> Text,
        expires_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    outbox (seq) {
        seq -> Int8,
        user_id -> Nullable<Uuid>,
        event_key -> Nullable<Text>,
        attempts -> Int4,
        parked -> Bool,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    program_versions (program_id, version) {
        program_id -> Uuid,
        version -> Int4,
        definition -> Text,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    programs (id) {
        id -> Uuid,
        key -> Text,
        name -> Text,
        currency -> Text,
        time_zone -> Text,
        status -> Text,
        version -> Int4,
        starts_at -> Nullable<Timestamptz>,
        ends_at -> Nullable<Timestamptz>,
        was_active -> Bool,
        created_at -> Timestamptz,
        landing_url -> Nullable<Text>,
        ref_parameter -> Text,
        click_parameter -> Text,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    referral_moves (id) {
        id -> Int8,
        user_id -> Uuid,
        from_referrer_id -> Nullable<Uuid>,
        to_referrer_id -> Uuid,
        reason -> Text,
        actor -> Text,
        created_at -> Timestamptz,
        from_via -> Nullable<Text>,
        from_code -> Nullable<Text>,
        from_click_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    referrals (referred_id) {
        referred_id -> Uuid,
        referrer_id -> Uuid,
        program_id -> Uuid,
        status -> Text,
        via -> Text,
        code -> Nullable<Text>,
        click_id -> Nullable<Uuid>,
        risk_score -> Int4,
        created_at -> Timestamptz,
        completed_at -> Nullable<Timestamptz>,
        rejected_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    refunds (id) {
        id -> Uuid,
        event_key -> Text,
        event_id -> Nullable<Uuid>,
        seq -> Int8,
        amount -> Nullable<Int8>,
        currency -> Nullable<Text>,
        key -> Text,
        fingerprint -> Bytea,
        received_at -> Timestamptz,
        applied -> Nullable<Int8>,
        decided_no -> Nullable<Int8>,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    retired_codes (hash) {
        hash -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    reviews (id) {
        id -> Uuid,
        referred_id -> Uuid,
        status -> Text,
        score -> Int4,
        seq -> Int8,
        reason -> Nullable<Text>,
        actor -> Nullable<Text>,
        created_at -> Timestamptz,
        decided_at -> Nullable<Timestamptz>,
        decided_no -> Nullable<Int8>,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    reward_moves (id) {
        id -> Int8,
        reward_id -> Uuid,
        from_status -> Text,
        to_status -> Text,
        net -> Int8,
        actor -> Text,
        reason -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    rewards (id) {
        id -> Uuid,
        user_id -> Uuid,
        event_id -> Uuid,
        referred_id -> Uuid,
        program_id -> Uuid,
        program_version -> Int4,
        rule_key -> Text,
        kind -> Text,
        level -> Int4,
        currency -> Text,
        amount -> Int8,
        net -> Int8,
        taken -> Int8,
        status -> Text,
        explanation -> Text,
        available_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        claim_id -> Nullable<Uuid>,
        changed_version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    risks (referred_id) {
        referred_id -> Uuid,
        standing -> Text,
        score -> Int4,
        program_version -> Int4,
        rejected_no -> Nullable<Int8>,
        changed_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    settings (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    signals (referred_id, signal) {
        referred_id -> Uuid,
        signal -> Text,
        weight -> Int4,
        shadow -> Bool,
        evidence -> Text,
        program_version -> Int4,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    transfers (id) {
        id -> Int8,
        user_id -> Uuid,
        currency -> Text,
        from_account -> Text,
        to_account -> Text,
        amount -> Int8,
        reward_id -> Nullable<Uuid>,
        claim_id -> Nullable<Uuid>,
        reason -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    uncounted (referrer_id, user_id) {
        referrer_id -> Uuid,
        user_id -> Uuid,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    user_totals (user_id) {
        user_id -> Uuid,
        version -> Int8,
        network -> Int4,
        network_at -> Nullable<Timestamptz>,
        signups_1 -> Int4,
        signups_2 -> Int4,
        signups_3 -> Int4,
        signups_4 -> Int4,
        signups_5 -> Int4,
        signups_6 -> Int4,
        signups_7 -> Int4,
        signups_8 -> Int4,
        signups_9 -> Int4,
        signups_10 -> Int4,
        completed_1 -> Int4,
        completed_2 -> Int4,
        completed_3 -> Int4,
        completed_4 -> Int4,
        completed_5 -> Int4,
        completed_6 -> Int4,
        completed_7 -> Int4,
        completed_8 -> Int4,
        completed_9 -> Int4,
        completed_10 -> Int4,
    }
}

diesel::table! {
    use crate::store::sql_types::*;

    users (id) {
        id -> Uuid,
        external_id -> Text,
        display_name -> Nullable<Text>,
        status -> Text,
        email_hash -> Nullable<Bytea>,
        phone_hash -> Nullable<Bytea>,
        created_at -> Timestamptz,
    }
}

diesel::joinable!(accounts -> users (user_id));
diesel::joinable!(board_deltas -> programs (program_id));
diesel::joinable!(board_deltas -> users (user_id));
diesel::joinable!(board_histogram -> programs (program_id));
diesel::joinable!(board_scores -> programs (program_id));
diesel::joinable!(board_scores -> users (user_id));
diesel::joinable!(boards -> programs (program_id));
diesel::joinable!(caps -> programs (program_id));
diesel::joinable!(claim_requests -> users (user_id));
diesel::joinable!(claims -> users (user_id));
diesel::joinable!(clicks -> codes (code_key));
diesel::joinable!(clicks -> programs (program_id));
diesel::joinable!(clicks -> users (user_id));
diesel::joinable!(codes -> programs (program_id));
diesel::joinable!(codes -> users (user_id));
diesel::joinable!(events -> programs (program_id));
diesel::joinable!(events -> users (user_id));
diesel::joinable!(evidence -> users (user_id));
diesel::joinable!(fraud_rows -> users (user_id));
diesel::joinable!(outbox -> users (user_id));
diesel::joinable!(program_versions -> programs (program_id));
diesel::joinable!(referrals -> programs (program_id));
diesel::joinable!(refunds -> events (event_id));
diesel::joinable!(reviews -> referrals (referred_id));
diesel::joinable!(reward_moves -> rewards (reward_id));
diesel::joinable!(rewards -> claims (claim_id));
diesel::joinable!(rewards -> events (event_id));
diesel::joinable!(rewards -> programs (program_id));
diesel::joinable!(rewards -> referrals (referred_id));
diesel::joinable!(rewards -> users (user_id));
diesel::joinable!(risks -> referrals (referred_id));
diesel::joinable!(signals -> referrals (referred_id));
diesel::joinable!(transfers -> claims (claim_id));
diesel::joinable!(transfers -> rewards (reward_id));
diesel::joinable!(transfers -> users (user_id));
diesel::joinable!(user_totals -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    api_keys,
    audit_log,
    board_deltas,
    board_histogram,
    board_scores,
    boards,
    caps,
    claim_requests,
    claims,
    clicks,
    codes,
    events,
    evidence,
    fold_gate,
    fraud_rows,
    listings,
    outbox,
    program_versions,
    programs,
    referral_moves,
    referrals,
    refunds,
    retired_codes,
    reviews,
    reward_moves,
    rewards,
    risks,
    settings,
    signals,
    transfers,
    uncounted,
    user_totals,
    users,
);
