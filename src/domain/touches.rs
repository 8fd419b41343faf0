//! The clicks that a browser remembers, as the cookie `referral_code` carries them: `click_..` ids in the order of the
//! last visits and a signature over them, separated by dots.
//!
//! The signature is there so that nobody can make a browser claim clicks that it never made; who a click leads to is
//! looked up each time.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{
    id::{self, Id, Noun},
    keyed_hash::HashKey,
};

/// Most clicks that a browser remembers.
pub const TOUCHES_MAX: usize = 5;
/// Longest cookie that is looked at, in bytes: [`TOUCHES_MAX`] ids and a signature have 208.
const COOKIE_MAX_LEN: usize = 256;
/// What the key of the signature is for.
const PURPOSE: &str = "referral_code";

/// Clicks in the order of their last visits, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touches(Vec<Id>);

impl Touches {
    /// The clicks, last visit last.
    pub fn ids(&self) -> &[Id] {
        &self.0
    }

    /// These clicks without those that are of no use any more.
    pub fn only(&self, useful: impl Fn(Id) -> bool) -> Self {
        Self(self.0.iter().copied().filter(|click| useful(*click)).collect())
    }

    /// The same after a visit. The first click stays while there is room for two, since it may be the one that counts.
    pub fn after(&self, visit: Id) -> Self {
        let mut ids: Vec<Id> = self.0.iter().copied().filter(|click| *click != visit).collect();
        ids.push(visit);
        while ids.len() > TOUCHES_MAX {
            ids.remove(1);
        }
        Self(ids)
    }

    /// The same with a click that somebody else remembers: it comes before the first of these that was made later. Of
    /// clicks that are here already the place is known better.
    pub fn with(&self, other: Id) -> Self {
        let mut ids = self.0.clone();
        if !ids.contains(&other) {
            let place = ids.iter().position(|click| *click > other).unwrap_or(ids.len());
            ids.insert(place, other);
        }
        Self(ids)
    }

    /// The clicks of several lists, one after the other; of a click that is in several, the last visit.
    pub fn joined(lists: &[&[Id]]) -> Self {
        let all = lists.concat();
        let last = |(place, click): &(usize, &Id)| !all[place + 1..].contains(click);
        Self(all.iter().enumerate().filter(last).map(|(_, click)| *click).collect())
    }

    /// The clicks as text.
    pub fn written(&self) -> String {
        self.0.iter().map(|click| click.typed(Noun::Click)).collect::<Vec<_>>().join(".")
    }

    /// Reads what [`written`](Self::written) wrote; nothing when it is anything else.
    pub fn read(text: &str) -> Option<Self> {
        let ids: Vec<Id> = text.split('.').map(|id| id::parse_as(Noun::Click, id).ok()).collect::<Option<_>>()?;
        (ids.len() <= TOUCHES_MAX).then_some(Self(ids))
    }

    /// The clicks and their signature, as the value of a cookie.
    pub fn signed(&self, key: &HashKey) -> String {
        let text = self.written();
        let signature = BASE64_URL_SAFE_NO_PAD.encode(key.derived(PURPOSE).hash(PURPOSE, &text).0);
        format!("{text}.{signature}")
    }

    /// Reads a cookie, which the key before this one may have signed; nothing when it is not one of ours.
    pub fn verified(cookie: &str, key: &HashKey) -> Option<Self> {
        if cookie.len() > COOKIE_MAX_LEN {
            return None;
        }
        let (text, signature) = cookie.rsplit_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = key.derived(PURPOSE);
        let is_genuine = key.hash(PURPOSE, text).is(&signature);
        let was_genuine = key.former_hash(PURPOSE, text).is_some_and(|hash| hash.is(&signature));
        if is_genuine || was_genuine { Self::read(text) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    fn click(number: u8) -> Id {
        Id::new(Timestamp::from_micros(i64::from(number) * 1_000), [number; 10])
    }

    fn clicks(numbers: &[u8]) -> Touches {
        Touches(numbers.iter().map(|number| click(*number)).collect())
    }

    #[test]
    fn a_cookie_comes_back_as_it_was_signed_and_not_otherwise() {
        let (key, touches) = (HashKey::from_secret("one"), clicks(&[1, 2]));
        let cookie = touches.signed(&key);
        assert_eq!(Touches::verified(&cookie, &HashKey::from_secret("two").with_former("one")), Some(touches.clone()));
        assert_eq!(Touches::verified(&cookie, &key), Some(touches));
        assert_eq!(Touches::verified(&cookie, &HashKey::from_secret("two")), None);
        let other = clicks(&[3, 2]).signed(&key);
        let (signature, rest) = (cookie.rsplit_once('.').unwrap().1, other.rsplit_once('.').unwrap().0);
        let long = format!("{cookie}{}", "x".repeat(300));
        for forged in ["", ".", "click_x.y", &cookie[1..], &format!("{rest}.{signature}"), &format!("{rest}."), &long] {
            assert_eq!(Touches::verified(forged, &key), None, "{forged}");
        }
    }

    #[test]
    fn the_first_and_the_last_visits_are_remembered() {
        let many = (1..=9).fold(Touches::default(), |touches, number| touches.after(click(number)));
        assert_eq!(many, clicks(&[1, 6, 7, 8, 9]));
        assert_eq!(many.after(click(6)), clicks(&[1, 7, 8, 9, 6]));
        assert!(many.signed(&HashKey::from_secret("one")).len() <= COOKIE_MAX_LEN);
    }

    #[test]
    fn a_click_that_somebody_else_remembers_takes_its_place_in_time() {
        for (known, other, expected) in [
            (&[][..], 4, &[4][..]),
            (&[3], 4, &[3, 4]),
            (&[5], 4, &[4, 5]),
            (&[2, 5], 4, &[2, 4, 5]),
            // The third was visited again after the fifth, which came after the fourth.
            (&[5, 3], 4, &[4, 5, 3]),
            (&[5, 3], 5, &[5, 3]),
        ] {
            assert_eq!(clicks(known).with(click(other)), clicks(expected), "{known:?} and {other}");
        }
    }

    #[test]
    fn lists_are_joined_by_last_visit() {
        let (old, new) = (clicks(&[1, 2]), clicks(&[3, 1]));
        assert_eq!(Touches::joined(&[old.ids(), new.ids()]), clicks(&[2, 3, 1]));
    }
}
