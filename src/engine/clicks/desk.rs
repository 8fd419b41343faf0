//! What is decided about one click.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Cookie, Purpose, Visit, Way, nowhere};
use crate::{
    domain::{
        code::CodeKey,
        id::Id,
        keyed_hash::{HashKey, KeyedHash},
        landing::{Landing, with_parameters},
        time::{SECOND_MICROS, Timestamp},
        touches::Touches,
        words::{CodeStatus, UserStatus},
    },
    engine::{Error, attribution::definition_of, input, sign_up::is_active},
    store::models::{Click, Link},
};

/// For how long a second click of one visitor on one code is the same visit.
const VISIT_MICROS: i64 = 3_600 * SECOND_MICROS;

/// What is behind a code.
pub(super) struct Behind {
    link: Link,
    /// How long a click counts, in days of 24 hours.
    pub(super) window_days: u32,
}

impl Behind {
    pub(super) fn of(link: Link) -> Result<Self, Error> {
        let window_days = definition_of(&link)?.attribution_window_days;
        Ok(Self { link, window_days })
    }

    /// Whether following the code now may bring somebody in.
    fn is_usable(&self, now: Timestamp) -> bool {
        let (code, owner, program, _) = &self.link;
        code.status == CodeStatus::Active
            && code.expires_at.is_none_or(|expires_at| now < expires_at)
            && owner.status == UserStatus::Active
            && is_active(program, now)
    }
}

/// What becomes of a click.
pub(super) enum Decision {
    /// Its code leads to nobody.
    Nowhere,
    /// Nobody clicked: shown where the code leads, and no more.
    Look(String),
    /// Recorded now, or before in the same visit.
    Click {
        /// The code's key.
        key: String,
        /// The new row; nothing when the browser remembers the click.
        row: Option<Box<Click>>,
        /// The click, unless the row's visit is there already.
        id: Id,
        /// What the browser remembers besides.
        touches: Touches,
    },
}

impl Decision {
    /// The row to be added.
    pub(super) fn row(&self) -> Option<&Click> {
        match self {
            Self::Click { row, .. } => row.as_deref(),
            Self::Nowhere | Self::Look(_) => None,
        }
    }
}

/// Everything that decisions about a batch need.
pub(super) struct Desk<'a> {
    pub(super) landing: &'a Landing,
    pub(super) key: &'a HashKey,
    pub(super) now: Timestamp,
    /// By the key of the code.
    pub(super) codes: HashMap<String, Behind>,
    /// Clicks that browsers brought along, with how many days they count.
    pub(super) touches: HashMap<Id, (Click, u32)>,
}

impl Desk<'_> {
    /// Whether a visit's code exists at all.
    pub(super) fn knows(&self, visit: &Visit) -> bool {
        CodeKey::fold(&visit.code).is_some_and(|key| self.codes.contains_key(key.as_str()))
    }

    /// Decides what becomes of a click.
    pub(super) fn decide(&self, visit: &Visit, cookie: Touches, new_id: impl FnOnce() -> Id) -> Decision {
        let usable = |key: &CodeKey| self.codes.get(key.as_str()).filter(|behind| behind.is_usable(self.now));
        let Some((key, behind)) = CodeKey::fold(&visit.code).and_then(|key| usable(&key).map(|behind| (key, behind)))
        else {
            return Decision::Nowhere;
        };
        let key = key.as_str().to_owned();
        if visit.purpose == Purpose::Look {
            return Decision::Look(key);
        }
        let touches = cookie.only(|click| self.still_counts(click));
        let again = touches.ids().iter().rev().find(|click| self.is_same_visit(**click, &key)).copied();
        match again {
            Some(id) => Decision::Click { key, row: None, id, touches },
            None => {
                let id = new_id();
                let row = Some(Box::new(self.row(visit, behind, id, &touches)));
                Decision::Click { key, row, id, touches }
            }
        }
    }

    /// Where a visitor goes on to, once everything is recorded.
    pub(super) fn way(&self, decision: Decision, visit: &Visit, recorded: &HashMap<KeyedHash, Id>) -> Way {
        let (key, click) = match decision {
            Decision::Nowhere => return nowhere(self.landing),
            Decision::Look(key) => (key, None),
            Decision::Click { key, row, id, touches } => {
                let visit_key = row.and_then(|row| row.visit_key);
                let id = visit_key.and_then(|visit| recorded.get(&visit)).copied().unwrap_or(id);
                (key, Some((id, touches)))
            }
        };
        let Some(behind) = self.codes.get(&key) else { return nowhere(self.landing) };
        let (code, _, program, _) = &behind.link;
        let page = self.landing.page_of(program.landing_url.as_deref(), visit.page.as_deref());
        let Some((id, touches)) = click else { return Way { page: page.to_string(), cookie: None } };
        let id_text = id.typed(crate::domain::id::Noun::Click);
        let mut parameters: Vec<(&str, &str)> = visit.campaign.iter().map(|(name, value)| (*name, &**value)).collect();
        parameters.push((&program.ref_parameter, &code.shown));
        parameters.push((&program.click_parameter, &id_text));
        let days = touches.ids().iter().filter_map(|click| self.touches.get(click)).map(|(_, days)| *days);
        let days = days.max().unwrap_or(0).max(behind.window_days);
        let cookie = Cookie { value: touches.after(id).signed(self.key), days };
        Way { page: with_parameters(page, &parameters).to_string(), cookie: Some(cookie) }
    }

    /// Whether a click that a browser remembers exists and may still bring somebody in.
    fn still_counts(&self, click: Id) -> bool {
        self.touches.get(&click).is_some_and(|(click, days)| self.now < click.created_at.plus_days(*days))
    }

    fn is_same_visit(&self, click: Id, key: &str) -> bool {
        self.touches
            .get(&click)
            .is_some_and(|(click, _)| click.code_key == key && self.now < click.created_at.plus_micros(VISIT_MICROS))
    }

    fn row(&self, visit: &Visit, behind: &Behind, id: Id, touches: &Touches) -> Click {
        let (code, owner, program, _) = &behind.link;
        let hashes = visit.address.map(|address| input::address_hashes(self.key, address));
        Click {
            id,
            code_key: code.key.clone(),
            program_id: program.id,
            user_id: owner.id,
            ip_hash: hashes.map(|(ip, _)| ip),
            network_hash: hashes.map(|(_, network)| network),
            device_hash: None,
            utm: campaign(visit),
            created_at: self.now,
            visit_key: self.visit_key(visit, &code.key, touches),
            user_agent_hash: visit.user_agent.as_deref().map(|name| self.key.hash("userAgent", name)),
            earlier: (!touches.ids().is_empty()).then(|| touches.written()),
        }
    }

    /// One visitor, by address and browser, at one code in one hour; nothing where neither is known. Two who came by
    /// different links before are two, since a click carries the ones before it along.
    fn visit_key(&self, visit: &Visit, code_key: &str, touches: &Touches) -> Option<KeyedHash> {
        if visit.address.is_none() && visit.user_agent.is_none() {
            return None;
        }
        let hour = self.now.micros() / VISIT_MICROS;
        let address = visit.address.map(|address| address.to_canonical().to_string()).unwrap_or_default();
        let browser = visit.user_agent.as_deref().unwrap_or_default();
        let earlier = touches.written();
        Some(self.key.hash("visit", &format!("{code_key}\n{hour}\n{address}\n{earlier}\n{browser}")))
    }
}

/// The parameters of a campaign, as JSON.
fn campaign(visit: &Visit) -> Option<String> {
    if visit.campaign.is_empty() {
        return None;
    }
    let fields = visit.campaign.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
    Some(Value::Object(fields.collect::<Map<_, _>>()).to_string())
}
