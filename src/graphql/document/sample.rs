//! A small schema after the public contract, texts that several tests send, and a guard to send them to.

use async_graphql::{ServerError, Variables};

use super::{Admitted, BAD_USER_INPUT, DocumentGuard, Limits, QUERY_TOO_COMPLEX};

/// Enough of the contract to have every kind of field.
pub(super) const SDL: &str = r#"
interface Node { id: ID! }
scalar DateTime
scalar Decimal
scalar JSON
enum UserStatus { ACTIVE SUSPENDED ERASED }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type User implements Node {
  id: ID! status: UserStatus! createdAt: DateTime! code: String codes: [ReferralCode!]
  referrer: User
  upline(first: Int = 10): [User!]
  referredUsers(first: Int, after: String, last: Int, before: String): UserConnection
  rewards(first: Int, after: String, last: Int, before: String): RewardConnection
  balances: [Balance!]
}
type ReferralCode { code: String! }
type Balance { currencyCode: String! available: Decimal! }
type UserEdge { cursor: String! node: User! }
type UserConnection { edges: [UserEdge!]! nodes: [User!]! pageInfo: PageInfo! totalCount: Int }
type Reward implements Node { id: ID! user: User! amount: Decimal! }
type RewardConnection { nodes: [Reward!]! pageInfo: PageInfo! }
type TreeNode { user: User! parentId: ID level: Int! }
type ReferralTree { root: User! nodes: [TreeNode!]! truncated: Boolean! }
type LeaderboardEntry { rank: Int! score: Decimal! user: User! }
type LeaderboardConnection { nodes: [LeaderboardEntry!]! viewerEntry: LeaderboardEntry pageInfo: PageInfo! }
type LedgerCheck { ok: Boolean! differences: [String!]! }
type Query {
  viewer: User
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  users(search: String, first: Int, after: String, last: Int, before: String): UserConnection
  referralTree(userId: ID!, depth: Int = 3, first: Int = 10): ReferralTree
  leaderboard(first: Int, after: String, last: Int, before: String): LeaderboardConnection
  ledgerCheck: LedgerCheck
  exportUser(userId: ID): JSON
}
input SignUpInput { externalId: String! }
type UserError { code: String! message: String! field: [String!] }
type SignUpPayload { user: User userErrors: [UserError!]! }
type Mutation { signUp(input: SignUpInput!): SignUpPayload! claimRewards(input: SignUpInput!): SignUpPayload! }
type ReferralCount { userId: ID! direct: Int! network: Int! }
type LeaderboardUpdate { entries: [LeaderboardEntry!]! }
type Subscription { referralCount(userId: ID!): ReferralCount! leaderboard(first: Int): LeaderboardUpdate! }
schema { query: Query mutation: Mutation subscription: Subscription }
"#;

/// What GraphiQL and code generators send: the query of graphql-js 16 with every option on.
pub(super) const INTROSPECTION: &str = r#"
query IntrospectionQuery {
  __schema {
    description
    queryType { name kind }
    mutationType { name kind }
    subscriptionType { name kind }
    types { ...FullType }
    directives {
      name description isRepeatable locations
      args(includeDeprecated: true) { ...InputValue }
    }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL isOneOf
  fields(includeDeprecated: true) {
    name description
    args(includeDeprecated: true) { ...InputValue }
    type { ...TypeRef }
    isDeprecated deprecationReason
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue {
  name description
  type { ...TypeRef }
  defaultValue isDeprecated deprecationReason
}
fragment TypeRef on __Type {
  kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
}
"#;

/// A query whose fragments stand for `width` to the power of `levels` fields.
pub(super) fn fan_out(levels: usize, width: usize) -> String {
    let mut text = "{ viewer { ...F0 } }".to_owned();
    for level in 0..levels {
        let spreads = format!("...F{} ", level + 1).repeat(width);
        text.push_str(&format!(" fragment F{level} on User {{ {spreads} }}"));
    }
    text + &format!(" fragment F{levels} on User {{ id }}")
}

/// A guard for the small schema, with the usual limits.
pub(super) fn guard() -> DocumentGuard {
    DocumentGuard::new(SDL, Limits::default()).unwrap()
}

/// What a fresh guard says to a document without variables.
pub(super) fn admit(text: &str) -> Result<Admitted, ServerError> {
    guard().admit(text, None, &Variables::default())
}

/// `extensions.code`, and `extensions.exceeded` where there is one.
pub(super) fn refusal(error: &ServerError) -> (String, String) {
    let extensions = serde_json::to_value(error.extensions.clone().unwrap()).unwrap();
    let text = |key: &str| extensions[key].as_str().unwrap_or_default().to_owned();
    (text("code"), text("exceeded"))
}

/// The limit that a document exceeds.
pub(super) fn exceeded(text: &str) -> String {
    let error = admit(text).unwrap_err();
    assert!(error.message.len() < 300, "{}", error.message);
    let (code, exceeded) = refusal(&error);
    assert_eq!(code, QUERY_TOO_COMPLEX, "{}", error.message);
    assert!(error.message.contains("limit of"), "{}", error.message);
    exceeded
}

/// The error of a document that is not well formed.
pub(super) fn bad_input(text: &str) -> ServerError {
    let error = admit(text).unwrap_err();
    assert!(error.message.len() < 300, "{}", error.message);
    assert_eq!(refusal(&error).0, BAD_USER_INPUT, "{}", error.message);
    error
}
