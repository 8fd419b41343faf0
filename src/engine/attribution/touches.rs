//! The clicks that are known of a newcomer, by what the host passed on and by what the browser remembers.
//!
//! A click names the ones before it in the same browser, so a host that passes only the last one on knows the first too.
//! Whether a code had an end does not matter here: the click came before it, or there would be no click.

use super::{
    super::{Engine, Error, sign_up::Newcomer},
    ClickSeen, LostClick, refusal,
};
use crate::{
    domain::{
        attribution::{Choice, Touch, choose},
        id::{self, Id, Noun},
        program::Definition,
        touches::Touches,
        words::{Loss, Outcome},
    },
    store::{
        StoreError, Tx,
        models::{Click, Link},
        run,
    },
};

/// Clicks in the order of the last visits, with what is behind them.
pub(super) struct Known {
    clicks: Vec<(ClickSeen, Link)>,
    touches: Vec<Touch>,
}

impl Engine {
    /// Looks the clicks of a newcomer up; those that do not exist are left out.
    pub(super) async fn known_clicks(&self, tx: &mut Tx, newcomer: &Newcomer) -> Result<Known, Error> {
        let named = newcomer.click_id.as_deref().and_then(|text| id::parse_as(Noun::Click, text.trim()).ok());
        let mut order = named.map_or_else(|| newcomer.touches.clone(), |click| newcomer.touches.with(click));
        if order.ids().is_empty() {
            return Ok(Known { clicks: Vec::new(), touches: Vec::new() });
        }
        let mut found = run!(tx, clicks::with_links(order.ids().to_vec()))?;
        let earlier = found.iter().find(|(click, _)| named == Some(click.id)).and_then(|(click, _)| earlier_of(click));
        if let Some(earlier) = earlier {
            let missing: Vec<Id> = earlier.ids().iter().filter(|click| !order.ids().contains(click)).copied().collect();
            if !missing.is_empty() {
                found.extend(run!(tx, clicks::with_links(missing))?);
            }
            order = Touches::joined(&[earlier.ids(), order.ids()]);
        }
        Known::of(&order, found, newcomer)
    }
}

fn earlier_of(click: &Click) -> Option<Touches> {
    click.earlier.as_deref().and_then(Touches::read)
}

impl Known {
    fn of(order: &Touches, mut found: Vec<(Click, Link)>, newcomer: &Newcomer) -> Result<Self, Error> {
        found.sort_by_key(|(click, _)| order.ids().iter().position(|id| *id == click.id));
        let mut known = Self { clicks: Vec::new(), touches: Vec::new() };
        for (click, link) in found {
            let definition = definition_of(&link)?;
            let ends_at = click.created_at.plus_days(definition.attribution_window_days);
            let expired = ends_at <= newcomer.user.created_at;
            let refusal =
                if expired { Some(Outcome::ClickExpired) } else { refusal(&link.0, &link.1, &link.2, newcomer) };
            let program = (link.2.id, definition.attribution);
            known.touches.push(Touch { click: click.id, program, at: click.created_at, refusal });
            let seen = ClickSeen { id: click.id, code: link.0.shown.clone(), at: click.created_at };
            known.clicks.push((seen, link));
        }
        Ok(known)
    }

    /// Which of them counts.
    pub(super) fn choose(&self) -> Choice {
        choose(&self.touches)
    }

    /// One of them, with what is behind it.
    pub(super) fn at(&self, place: usize) -> &(ClickSeen, Link) {
        &self.clicks[place]
    }

    /// Whose codes they are on.
    pub(super) fn owners(&self) -> Vec<Id> {
        self.clicks.iter().map(|(_, link)| link.1.id).collect()
    }

    /// The last click on a code that can be used.
    pub(super) fn usable_of(&self, code_key: &str) -> Option<ClickSeen> {
        let fits =
            |((_, link), touch): &(&(ClickSeen, Link), &Touch)| link.0.key == code_key && touch.refusal.is_none();
        self.clicks.iter().zip(&self.touches).rfind(fits).map(|((click, _), _)| click.clone())
    }

    /// The others, when one of them counts.
    pub(super) fn lost_to_click(&self, place: usize) -> Vec<LostClick> {
        self.lost(Some(self.touches[place].click), Loss::OtherClick)
    }

    /// All but the one that belongs to it, when a code was given.
    pub(super) fn lost_to_code(&self, but: Option<Id>) -> Vec<LostClick> {
        self.lost(but, Loss::CodeGiven)
    }

    fn lost(&self, but: Option<Id>, otherwise: Loss) -> Vec<LostClick> {
        let others = self.clicks.iter().zip(&self.touches).filter(|(_, touch)| Some(touch.click) != but);
        let lost = others.map(|((click, _), touch)| LostClick {
            click: click.clone(),
            reason: touch.refusal.map_or(otherwise, |refusal| loss(refusal, otherwise)),
        });
        lost.collect()
    }
}

fn loss(refusal: Outcome, otherwise: Loss) -> Loss {
    match refusal {
        Outcome::ClickExpired => Loss::ClickExpired,
        Outcome::CodeDisabled | Outcome::CodeExpired => Loss::CodeDisabled,
        Outcome::SelfReferral => Loss::SelfReferral,
        Outcome::ProgramInactive => Loss::ProgramInactive,
        Outcome::Attributed | Outcome::None | Outcome::CodeUnknown | Outcome::ClickUnknown => otherwise,
    }
}

/// What the program behind a link promises now.
pub(in crate::engine) fn definition_of(link: &Link) -> Result<Definition, Error> {
    let unreadable = |error| StoreError::Corrupt(format!("program {}: {error}", link.2.id));
    serde_json::from_str(&link.3).map_err(unreadable).map_err(Error::from)
}
