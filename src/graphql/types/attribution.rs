//! What attributions come to, and the clicks that they are about.

use std::sync::Arc;

use async_graphql::{Context, ID, SimpleObject};

use super::{
    referral::Referral,
    words::{AttributionOutcome, AttributionVia, LossReason},
};
use crate::{
    domain::id::{Id, Noun},
    engine::attribution::{ClickSeen, Findings, LostClick},
    graphql::{
        caller::Sight,
        errors::ApiError,
        scalars::{DateTime, written},
        scope::Scope,
    },
    store::models,
};

/// What the attribution of a signup came to.
#[derive(SimpleObject, Clone)]
pub struct Attribution {
    /// In one word.
    pub outcome: AttributionOutcome,
    /// How the referral came about; null when there is none.
    pub via: Option<AttributionVia>,
    /// The code that the outcome is about, as it is shown; null when there is no such code.
    pub code: Option<String>,
    /// The click that the outcome is about, or that was made on the code that was given; null when there is none.
    pub click: Option<Touch>,
    /// The other clicks that were known, oldest visit first, and why they do not count.
    pub lost_touches: Vec<LostTouch>,
    /// The referral; null when there is none.
    pub referral: Option<Referral>,
}

/// A click that was known at a signup.
#[derive(SimpleObject, Clone, Debug)]
pub struct Touch {
    /// The click.
    pub click_id: ID,
    /// The code whose link was followed, as it is shown.
    pub code: String,
    /// When.
    pub clicked_at: DateTime,
}

/// A click that was known at a signup and does not count.
#[derive(SimpleObject, Clone, Debug)]
pub struct LostTouch {
    /// The click.
    pub click_id: ID,
    /// The code whose link was followed, as it is shown.
    pub code: String,
    /// When.
    pub clicked_at: DateTime,
    /// Why it does not count.
    pub reason: LossReason,
}

/// A visit through a referral link.
#[derive(SimpleObject, Clone, Debug)]
pub struct Click {
    /// The id, as the link passed it on.
    pub id: ID,
    /// When.
    pub clicked_at: DateTime,
    /// The parameters of the campaign that the link had (`utm_source` and the like).
    pub campaign: Vec<CampaignParameter>,
}

/// One parameter of a campaign.
#[derive(SimpleObject, Clone, Debug)]
pub struct CampaignParameter {
    /// Its name, such as `utm_source`.
    pub name: String,
    /// Its value, at most 200 characters.
    pub value: String,
}

impl Attribution {
    /// What was found out, with the referral that it led to.
    pub fn of(findings: Findings, referral: Option<models::Referral>, sight: Sight) -> Self {
        let Findings { outcome, code, click, lost } = findings;
        Self {
            outcome: outcome.into(),
            via: referral.as_ref().map(|referral| referral.via.into()),
            code,
            click: click.map(Touch::from),
            lost_touches: lost.into_iter().map(LostTouch::from).collect(),
            referral: referral.map(|row| Referral { row: Arc::new(row), sight }),
        }
    }
}

impl From<ClickSeen> for Touch {
    fn from(click: ClickSeen) -> Self {
        Self { click_id: written(Noun::Click, click.id), code: click.code, clicked_at: click.at.into() }
    }
}

impl From<LostClick> for LostTouch {
    fn from(lost: LostClick) -> Self {
        let Touch { click_id, code, clicked_at } = lost.click.into();
        Self { click_id, code, clicked_at, reason: lost.reason.into() }
    }
}

impl Click {
    /// The click with this id; nothing when it was purged.
    pub async fn find(ctx: &Context<'_>, id: Id) -> Result<Option<Self>, ApiError> {
        let row = Scope::of(ctx)?.loaders.set().clicks().load(id).await?;
        Ok(row.map(|row| Self::of(&row)))
    }

    fn of(row: &models::Click) -> Self {
        let stored = row.utm.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let fields: serde_json::Map<String, serde_json::Value> = stored.unwrap_or_default();
        let parameter = |(name, value): (String, serde_json::Value)| CampaignParameter {
            name,
            value: value.as_str().unwrap_or_default().to_owned(),
        };
        let campaign = fields.into_iter().map(parameter).collect();
        Self { id: written(Noun::Click, row.id), clicked_at: row.created_at.into(), campaign }
    }
}
