//! Who stands in one tree with newcomers and shares a device or an internet network with them, whoever brought them in.
//!
//! Two are of one tree when somebody has both in their network, as far down as a network goes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    domain::{fraud::Account, id::Id, keyed_hash::KeyedHash},
    store::{StoreError, Tx, changes::NETWORK_LEVELS, run},
};

/// People by everybody whose network they are in.
#[derive(Default)]
pub(super) struct Kin(HashMap<Id, Vec<Id>>);

impl Kin {
    /// Looks up where these people stand, as far as it can matter: where only people of one referrer share a device, or
    /// no more than `limit` an internet network, the rest of the tree changes nothing.
    pub(super) async fn load(
        tx: &mut Tx,
        accounts: impl Iterator<Item = Account>,
        limit: usize,
    ) -> Result<Self, StoreError> {
        let mut groups: HashMap<(bool, KeyedHash), BTreeMap<Id, Id>> = HashMap::new();
        for Account { id, referrer, traces, .. } in accounts {
            for (is_device, hash) in [(true, traces.device), (false, traces.network)] {
                if let Some(hash) = hash {
                    groups.entry((is_device, hash)).or_default().insert(id, referrer);
                }
            }
        }
        let mut matter = BTreeSet::new();
        for ((is_device, _), people) in &groups {
            let is_spread = people.values().any(|referrer| people.values().next() != Some(referrer));
            if is_spread && (*is_device || people.len() > limit) {
                matter.extend(people.keys().copied());
            }
        }
        let mut kin = Self::default();
        if !matter.is_empty() {
            let steps = run!(tx, load::ancestors(matter.into_iter().collect(), NETWORK_LEVELS as i32))?;
            for (person, ancestor, _) in steps {
                kin.0.entry(ancestor).or_default().push(person);
            }
        }
        Ok(kin)
    }

    /// Those of them who are in a network that somebody with this upline is in too.
    pub(super) fn of(&self, upline: &[Id]) -> BTreeSet<Id> {
        upline.iter().take(NETWORK_LEVELS).filter_map(|ancestor| self.0.get(ancestor)).flatten().copied().collect()
    }
}
