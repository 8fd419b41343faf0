//! What must follow from what was acknowledged, computed in the simplest way there is.

use std::collections::BTreeMap;

use crate::{
    clerk::Told,
    promise::{CHAIN, HELD, LAPSING, VISIT, VISITS_PAID, WELCOME},
};

/// Lines of text, one for each row that must be there, sorted.
#[derive(Default)]
pub struct Expected {
    /// `event rule level to person: granted net`, but for rewards under a cap.
    pub rewards: Vec<String>,
    /// `person: number, cents` of the rewards under a cap: which of several visits are paid is a matter of order.
    pub capped: Vec<String>,
    /// `id of person: cents STATUS`.
    pub claims: Vec<String>,
    /// `person: claimed paid rest`; the rest is what can be claimed less what is owed.
    pub accounts: Vec<String>,
}

/// Somebody's money.
#[derive(Default)]
struct Purse {
    net: i64,
    claimed: i64,
    paid: i64,
}

#[derive(Default)]
struct House {
    referrers: BTreeMap<String, String>,
    /// By key: whose, cents, cents left.
    purchases: BTreeMap<String, (String, i64, i64)>,
    visits: BTreeMap<String, i64>,
    claims: BTreeMap<String, (String, i64, &'static str)>,
    purses: BTreeMap<String, Purse>,
    expected: Expected,
}

impl Expected {
    /// Computes it.
    pub fn from(told: &[Vec<Told>]) -> Self {
        let mut house = House::default();
        told.iter().flatten().cloned().for_each(|one| house.take(one));
        house.finish()
    }
}

impl House {
    fn take(&mut self, told: Told) {
        match told {
            Told::SignedUp { name, referrer } => {
                self.referrers.extend(referrer.map(|referrer| (name, referrer)));
            }
            Told::Bought { name, key, cents } => drop(self.purchases.insert(key, (name, cents, cents))),
            Told::Refunded { event_key, cents } => {
                let (_, _, left) = self.purchases.get_mut(&event_key).expect("a purchase");
                *left -= cents;
                assert!(*left > 0, "something is left of {event_key}");
            }
            Told::Happened { name, kind, key } => self.happened(&name, kind, &key),
            Told::Claimed { name, id, cents } => drop(self.claims.insert(id, (name, cents, "REQUESTED"))),
            Told::Settled { id, status } => self.claims.get_mut(&id).expect("a claim").2 = status,
        }
    }

    fn happened(&mut self, name: &str, kind: &str, key: &str) {
        let Some(referrer) = self.referrers.get(name).cloned() else { return };
        match kind {
            "visit" => *self.visits.entry(referrer).or_default() += 1,
            "trial" => self.grant(&format!("{key} held 1"), &referrer, (HELD, HELD)),
            "voucher" => {
                // It lapses: it was granted, and nobody has it.
                self.grant(&format!("{key} lapsing 0"), name, (LAPSING, LAPSING));
                self.purse(name).net -= LAPSING;
            }
            other => panic!("{other}"),
        }
    }

    fn purse(&mut self, name: &str) -> &mut Purse {
        self.purses.entry(name.to_owned()).or_default()
    }

    fn grant(&mut self, what: &str, name: &str, (granted, net): (i64, i64)) {
        self.expected.rewards.push(format!("{what} to {name}: {granted} {net}"));
        self.purse(name).net += net;
    }

    fn purchase(&mut self, key: &str, (name, cents, left): (String, i64, i64)) {
        let Some(referrer) = self.referrers.get(&name).cloned() else { return };
        self.grant(&format!("{key} welcome 0"), &name, (WELCOME, WELCOME));
        let mut above = Some(referrer);
        for (rate, level) in CHAIN.iter().zip(1..) {
            let Some(person) = above else { return };
            self.grant(&format!("{key} chain {level}"), &person, (cents * rate / 100, left * rate / 100));
            above = self.referrers.get(&person).cloned();
        }
    }

    fn finish(mut self) -> Expected {
        for (key, purchase) in std::mem::take(&mut self.purchases) {
            self.purchase(&key, purchase);
        }
        for (name, visits) in std::mem::take(&mut self.visits) {
            let paid = visits.min(VISITS_PAID);
            self.purse(&name).net += paid * VISIT;
            self.expected.capped.push(format!("{name}: {paid}, {}", paid * VISIT));
        }
        for (id, (name, cents, status)) in std::mem::take(&mut self.claims) {
            match status {
                "REQUESTED" => self.purse(&name).claimed += cents,
                "PAID" => self.purse(&name).paid += cents,
                _ => {}
            }
            self.expected.claims.push(format!("{id} of {name}: {cents} {status}"));
        }
        let mut expected = self.expected;
        for (name, Purse { net, claimed, paid }) in self.purses {
            expected.accounts.push(format!("{name}: {claimed} {paid} {}", net - claimed - paid));
        }
        for lines in [&mut expected.rewards, &mut expected.capped, &mut expected.claims, &mut expected.accounts] {
            lines.sort_unstable();
        }
        expected
    }
}
