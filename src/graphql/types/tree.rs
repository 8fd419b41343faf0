//! A piece of the tree, flat.

use std::sync::Arc;

use async_graphql::{ID, SimpleObject};

use super::user::User;
use crate::{
    domain::id::{Id, Noun},
    graphql::{caller::Sight, errors::ApiError, scalars::written, scope::Scope},
    store::{
        StoreError, Tx,
        requests::{TreeRequest, TreeRow},
        run,
    },
};

/// Most levels of one answer.
pub const TREE_DEPTH: i32 = 10;
/// Most children of one node.
pub const TREE_CHILDREN: i32 = 100;
/// Most nodes of one answer.
const TREE_NODES: i64 = 5_000;

/// A user and the people below them, level by level.
#[derive(SimpleObject)]
pub struct ReferralTree {
    /// The user at the top.
    pub root: User,
    /// Everybody in the answer, the root included, level by level.
    pub nodes: Vec<TreeNode>,
    /// Whether there is more below: deeper levels, further children, or more than 5,000 people.
    pub truncated: bool,
}

/// One person of a tree.
#[derive(SimpleObject)]
pub struct TreeNode {
    /// The person.
    pub user: User,
    /// Id of the person one level up, in this answer; null for the root.
    pub parent_id: Option<ID>,
    /// Levels below the root, which is at level 0.
    pub level: i32,
}

/// How much of a tree is asked for.
#[derive(Clone, Copy, Debug)]
pub struct TreeSize {
    /// How many levels below the root.
    pub depth: i32,
    /// How many children of each node, oldest first.
    pub first: i32,
}

impl TreeSize {
    /// Checks the arguments.
    pub fn new(depth: i32, first: i32) -> Result<Self, ApiError> {
        let within = |name: &str, value: i32, most: i32| match value {
            value if (1..=most).contains(&value) => Ok(()),
            _ => Err(ApiError::bad_input(format!("`{name}` must be between 1 and {most}, not {value}"))),
        };
        within("depth", depth, TREE_DEPTH)?;
        within("first", first, TREE_CHILDREN)?;
        Ok(Self { depth, first })
    }
}

impl ReferralTree {
    /// Reads a tree with one bounded statement, as far as the caller sees.
    pub async fn read(scope: &Scope, root: Id, size: TreeSize) -> Result<Option<Self>, ApiError> {
        let Some(sight) = scope.sight_of(root).await? else { return Ok(None) };
        let depth = size.depth.min(i32::from(sight.depth_below()));
        let request = TreeRequest { root, depth, first: i64::from(size.first), limit: TREE_NODES + 1 };
        let read = scope.engine.store.look(async |tx: &mut Tx| run!(tx, tree::subtree(request)));
        let mut rows = read.await.map_err(|failure: StoreError| ApiError::from(failure))?;
        let limit = usize::try_from(TREE_NODES).unwrap_or(usize::MAX);
        let truncated = rows.len() > limit || rows.iter().any(|row| row.more);
        rows.truncate(limit);
        Ok(Self::of(scope, sight, rows, truncated).await)
    }

    async fn of(scope: &Scope, root_sight: Sight, rows: Vec<TreeRow>, truncated: bool) -> Option<Self> {
        let nodes: Vec<TreeNode> = rows.into_iter().map(|row| TreeNode::of(root_sight, row)).collect();
        let users = nodes.iter().map(|node| (node.user.row.id, Some(node.user.row.clone())));
        scope.loaders.set().users().prime(users.collect::<Vec<_>>()).await;
        Some(Self { root: nodes.first()?.user.clone(), nodes, truncated })
    }
}

impl TreeNode {
    fn of(root_sight: Sight, row: TreeRow) -> Self {
        let sight = root_sight.below(u8::try_from(row.level).unwrap_or(u8::MAX)).unwrap_or(Sight::Name);
        Self {
            user: User { row: Arc::new(row.user), sight },
            parent_id: row.parent_id.map(|parent| written(Noun::User, parent)),
            level: row.level,
        }
    }
}
