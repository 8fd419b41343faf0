//! Reviewing referrals, and the lists that signups are judged by.

use std::sync::Arc;

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, halves, named};
use crate::{
    domain::id::Noun,
    engine::{listings::AddListing, review_referral::ReviewReferral},
    graphql::{
        caller::{Operator, Sight},
        errors::ApiError,
        scalars::DateTime,
        scope::Scope,
        types::{
            fraud_words::{ListingEffect, ListingSubject, ReviewDecision},
            listing::Listing,
            referral::Referral,
        },
    },
    store::fraud,
};

/// What was decided about which referral.
#[derive(InputObject, Clone, Debug)]
pub struct ReviewReferralInput {
    /// The referral.
    pub referral_id: ID,
    /// Whether it passes.
    pub decision: ReviewDecision,
    /// Why, 1 to 500 characters; kept with the review and in the audit log, never shown to members.
    pub reason: String,
}

/// What came of a review.
#[derive(SimpleObject)]
pub struct ReviewReferralPayload {
    /// The referral as it is now; null when nothing was done.
    pub referral: Option<Referral>,
    /// Why nothing was done; empty when it was.
    pub user_errors: Vec<UserError>,
}

/// Something to list.
#[derive(InputObject, Clone, Debug)]
pub struct AddListingInput {
    /// On which list.
    pub effect: ListingEffect,
    /// What kind of thing it is.
    pub subject: ListingSubject,
    /// The thing: an address, a device id, an e-mail address, a domain, the host's id of a referrer. Kept as a keyed hash.
    pub value: String,
    /// Why, 1 to 500 characters; kept in the audit log.
    pub reason: String,
    /// Until when; for good unless told.
    pub expires_at: Option<DateTime>,
}

/// What came of listing something.
#[derive(SimpleObject)]
pub struct AddListingPayload {
    /// The entry; null when it was refused. One about the same thing is replaced and keeps its id.
    pub listing: Option<Listing>,
    /// Why it was refused; empty when it was not.
    pub user_errors: Vec<UserError>,
}

/// What to take off its list.
#[derive(InputObject, Clone, Debug)]
pub struct RemoveListingInput {
    /// The entry.
    pub listing_id: ID,
    /// Why, 1 to 500 characters; kept in the audit log.
    pub reason: String,
}

/// What came of taking an entry off its list.
#[derive(SimpleObject)]
pub struct RemoveListingPayload {
    /// The entry as it was; null when nothing was done.
    pub listing: Option<Listing>,
    /// Why nothing was done; empty when it was.
    pub user_errors: Vec<UserError>,
}

/// Decides about a referral.
pub(super) async fn review_referral(
    scope: &Scope,
    input: ReviewReferralInput,
) -> Result<ReviewReferralPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let ReviewReferralInput { referral_id, decision, reason } = input;
    let reviewing = async {
        let referral = named(Noun::Referral, "referralId", &referral_id)?;
        scope.engine.review_referral(ReviewReferral { referral, decision: decision.into(), reason }, by.key).await
    };
    let shown = |row| Referral { row: Arc::new(row), sight: Sight::Staff };
    let (referral, user_errors) = halves(reviewing.await, shown)?;
    Ok(ReviewReferralPayload { referral, user_errors })
}

/// Lists something.
pub(super) async fn add_listing(scope: &Scope, input: AddListingInput) -> Result<AddListingPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let request = AddListing {
        effect: input.effect.into(),
        subject: input.subject.into(),
        value: input.value,
        reason: input.reason,
        expires_at: input.expires_at.map(|at| at.0),
    };
    let (listing, user_errors) = halves(scope.engine.add_listing(request, by.key).await, shown)?;
    Ok(AddListingPayload { listing, user_errors })
}

/// Takes an entry off its list.
pub(super) async fn remove_listing(scope: &Scope, input: RemoveListingInput) -> Result<RemoveListingPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let removing = async {
        let listing = named(Noun::Listing, "listingId", &input.listing_id)?;
        scope.engine.remove_listing(listing, &input.reason, by.key).await
    };
    let (listing, user_errors) = halves(removing.await, shown)?;
    Ok(RemoveListingPayload { listing, user_errors })
}

fn shown(row: fraud::Listing) -> Listing {
    Listing(Arc::new(row))
}
