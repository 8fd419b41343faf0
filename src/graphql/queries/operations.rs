//! Queries for operators.

use async_graphql::{Context, Object, SimpleObject};

use crate::{
    graphql::{
        caller::Operator,
        errors::{ApiError, Nullable},
        scope::Scope,
        types::api_key::ApiKey,
    },
    store::{StoreError, Tx, run},
};

/// Whether the books balance.
#[derive(SimpleObject, Clone, Debug)]
pub struct LedgerCheck {
    /// Whether nothing differs.
    pub ok: bool,
    /// What differs between balances, ledger and rewards, in sentences; empty when all is well.
    pub differences: Vec<String>,
}

/// The house itself.
#[derive(Default)]
pub struct OperationQueries;

#[Object]
impl OperationQueries {
    /// Computes every balance again from the ledger and from the rewards, and names what differs. For operators.
    async fn ledger_check(&self, ctx: &Context<'_>) -> Nullable<LedgerCheck> {
        Some(ledger_check(ctx).await)
    }

    /// Every API key, oldest first, revoked ones included; secrets are not kept. For operators.
    async fn api_keys(&self, ctx: &Context<'_>) -> Nullable<Vec<ApiKey>> {
        Some(api_keys(ctx).await)
    }
}

async fn ledger_check(ctx: &Context<'_>) -> Result<LedgerCheck, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Operator<'_>>()?;
    let differences = scope.engine.ledger_check().await?;
    Ok(LedgerCheck { ok: differences.is_empty(), differences })
}

async fn api_keys(ctx: &Context<'_>) -> Result<Vec<ApiKey>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Operator<'_>>()?;
    let rows = scope.engine.store.look(async |tx: &mut Tx| run!(tx, keys::all())).await;
    Ok(rows.map_err(|failure: StoreError| ApiError::from(failure))?.into_iter().map(ApiKey::from).collect())
}
