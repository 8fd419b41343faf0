//! The public contract is a file that people review: it says what the schema says, and everything in it is described.

use async_graphql::Positioned;
use std::collections::BTreeSet;

use async_graphql::parser::{
    parse_schema,
    types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition},
};
use banyan::graphql::{
    document::{DocumentGuard, Limits},
    sdl,
};

const FILE: &str = "schema.graphql";

/// Run with `BLESS=1` to write the file anew.
#[test]
fn the_file_says_what_the_schema_says() {
    let said = sdl();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &said).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == said, "{FILE} is old: run `banyan schema > {FILE}` and look at the difference");
}

#[test]
fn everything_is_described() {
    let sdl = sdl();
    let document = parse_schema(&sdl).unwrap();
    let mut bare = Vec::new();
    for definition in &document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let (name, definition) = (&definition.node.name.node, &definition.node);
        if definition.description.is_none() {
            bare.push(name.to_string());
        }
        match &definition.kind {
            TypeKind::Object(object) => note_fields(&mut bare, name, &object.fields),
            TypeKind::Interface(interface) => note_fields(&mut bare, name, &interface.fields),
            TypeKind::InputObject(input) => note_inputs(&mut bare, name, &input.fields),
            TypeKind::Enum(values) => {
                let values = values.values.iter().filter(|value| value.node.description.is_none());
                bare.extend(values.map(|value| format!("{name}.{}", value.node.value.node)));
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}

fn note_fields(bare: &mut Vec<String>, of: &str, fields: &[Positioned<FieldDefinition>]) {
    for field in fields {
        let name = format!("{of}.{}", field.node.name.node);
        note_inputs(bare, &name, &field.node.arguments);
        if field.node.description.is_none() {
            bare.push(name);
        }
    }
}

fn note_inputs(bare: &mut Vec<String>, of: &str, inputs: &[Positioned<InputValueDefinition>]) {
    let silent = inputs.iter().filter(|input| input.node.description.is_none());
    bare.extend(silent.map(|input| format!("{of}({})", input.node.name.node)));
}

#[test]
fn the_guard_can_read_it() {
    let guard = DocumentGuard::new(&sdl(), Limits::default()).unwrap();
    let admitted = guard.admit("{ referralTree(userId: \"x\") { nodes { level } } }", None, &Default::default());
    assert_eq!(admitted.unwrap().cost, 30, "the guard knows the usual depth and width of a tree");
}

/// Fields as the contract fixes them: names, arguments, nullability and defaults. What is added beside them is free.
const FIXED: [&str; 66] = [
    "Query.viewer: User",
    "Query.node(id: ID!): Node",
    "Query.nodes(ids: [ID!]!): [Node]!",
    "Query.user(by: UserBy!): User",
    "Query.users(search: String, first: Int, after: String, last: Int, before: String): UserConnection",
    "Query.referralCode(code: String!): ReferralCodePreview",
    "Query.referralTree(userId: ID!, depth: Int = 3, first: Int = 10): ReferralTree",
    "Query.leaderboard(metric: LeaderboardMetric = REFERRALS, period: LeaderboardPeriod = ALL_TIME, at: DateTime, \
     programId: ID, first: Int, after: String, last: Int, before: String): LeaderboardConnection",
    "Query.program(by: ProgramBy!): Program",
    "Query.programs(first: Int, after: String, last: Int, before: String): ProgramConnection",
    "Query.rewards(filter: RewardFilter, first: Int, after: String, last: Int, before: String): RewardConnection",
    "Query.claims(status: ClaimStatus, first: Int, after: String, last: Int, before: String): ClaimConnection",
    "Query.ledgerCheck: LedgerCheck",
    "Query.apiKeys: [ApiKey!]",
    "User.id: ID!",
    "User.status: UserStatus!",
    "User.createdAt: DateTime!",
    "User.externalId: String",
    "User.displayName: String",
    "User.code: String",
    "User.link: String",
    "User.codes: [ReferralCode!]",
    "User.referrer: User",
    "User.upline(first: Int = 10): [User!]",
    "User.referral: Referral",
    "User.referrals(status: ReferralStatus, first: Int, after: String, last: Int, before: String): ReferralConnection",
    "User.referredUsers(first: Int, after: String, last: Int, before: String): UserConnection",
    "User.referralCount: Int",
    "User.completedReferralCount: Int",
    "User.network: Network",
    "User.rank(metric: LeaderboardMetric = REFERRALS, period: LeaderboardPeriod = ALL_TIME, programId: ID): \
     LeaderboardEntry",
    "User.rewards(status: RewardStatus, first: Int, after: String, last: Int, before: String): RewardConnection",
    "User.claims(first: Int, after: String, last: Int, before: String): ClaimConnection",
    "User.events(first: Int, after: String, last: Int, before: String): EventConnection",
    "User.balances: [Balance!]",
    "Mutation.signUp(input: SignUpInput!): SignUpPayload!",
    "Mutation.updateUser(input: UpdateUserInput!): UpdateUserPayload!",
    "Mutation.recordEvent(input: RecordEventInput!): RecordEventPayload!",
    "Mutation.recordRefund(input: RecordRefundInput!): RecordRefundPayload!",
    "Mutation.claimRewards(input: ClaimRewardsInput!): ClaimRewardsPayload!",
    "Mutation.settleClaim(input: SettleClaimInput!): SettleClaimPayload!",
    "Mutation.createApiKey(input: CreateApiKeyInput!): CreateApiKeyPayload!",
    "Mutation.revokeApiKey(input: RevokeApiKeyInput!): RevokeApiKeyPayload!",
    "Subscription.referralCount(userId: ID!): ReferralCount!",
    "Subscription.leaderboard(metric: LeaderboardMetric = REFERRALS, period: LeaderboardPeriod = ALL_TIME, \
     programId: ID, first: Int = 10): LeaderboardUpdate!",
    "Subscription.rewardUpdated(userId: ID!): Reward!",
    "ClaimRewardsPayload.claims: [Claim!]!",
    "ClaimRewardsPayload.userErrors: [UserError!]!",
    "Referral.referrer: User!",
    "Referral.program: Program!",
    "Event.type: String!",
    "Event.rewards: [Reward!]!",
    "Reward.referral: Referral!",
    "Reward.event: Event!",
    "Reward.version: Int!",
    "Reward.level: Int!",
    "Reward.net: Money!",
    "Claim.amount: Money!",
    "TreeNode.parentId: ID",
    "ReferralTree.truncated: Boolean!",
    "LeaderboardEntry.denseRank: Int",
    "LeaderboardEntry.score: Decimal!",
    "ReferralCount.version: BigInt!",
    "LeaderboardUpdate.entries: [LeaderboardEntry!]!",
    "Attribution.referral: Referral",
    "Money.amount: Decimal!",
];

#[test]
fn the_contract_is_kept() {
    let document = parse_schema(sdl()).unwrap();
    let mut fields = BTreeSet::new();
    for definition in &document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let TypeKind::Object(object) = &definition.node.kind else { continue };
        let name = &definition.node.name.node;
        fields.extend(object.fields.iter().map(|field| format!("{name}.{}", signature(&field.node))));
    }
    let broken: Vec<_> = FIXED.iter().filter(|fixed| !fields.contains(**fixed)).collect();
    assert!(broken.is_empty(), "{broken:#?}\nof {fields:#?}");
}

fn signature(field: &FieldDefinition) -> String {
    let argument = |argument: &Positioned<InputValueDefinition>| {
        let InputValueDefinition { name, ty, default_value, .. } = &argument.node;
        let default = default_value.as_ref().map(|value| format!(" = {}", value.node)).unwrap_or_default();
        format!("{}: {}{default}", name.node, ty.node)
    };
    let arguments = field.arguments.iter().map(argument).collect::<Vec<_>>().join(", ");
    let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
    format!("{}{arguments}: {}", field.name.node, field.ty.node)
}

#[test]
fn lookups_take_exactly_one_argument_and_scalars_say_where_they_are_specified() {
    let sdl = sdl();
    for text in ["input UserBy @oneOf", "input ProgramBy @oneOf", "scalar DateTime @specifiedBy(url: \"https://"] {
        assert!(sdl.contains(text), "{text}");
    }
}
