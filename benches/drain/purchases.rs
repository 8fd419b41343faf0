//! What is bought, and what has to be paid for it, computed from the rules as this benchmark states them.

use std::fmt::Write;

use banyan::engine::demo::{Shape, generate_forest};

/// Seed of the people.
const SEED: u64 = 11;
/// Percentages of the chain above, from the referrer on.
pub const LEVELS: [u32; 3] = [10, 5, 2];
/// Percentage for whoever buys.
pub const CASHBACK: u32 = 1;
/// A prime that is larger than any number of people: its multiples visit everybody before anybody again.
const STRIDE: u64 = 15_485_863;
/// Minor units of the smallest purchase, of which every percentage is a whole number.
const UNIT: i64 = 10_000;

/// Who brought in whom.
pub struct Forest {
    parents: Vec<Option<u32>>,
}

impl Forest {
    /// Deep chains: few came by themselves.
    pub fn grow(people: u32) -> Self {
        let mut parents = vec![None; people as usize];
        for (child, parent) in generate_forest(people, Shape::Network, SEED) {
            parents[child as usize] = Some(parent);
        }
        Self { parents }
    }

    /// The people as a file to import.
    pub fn file(&self) -> String {
        let mut file = String::from("external_id,referrer_external_id\n");
        for (person, parent) in self.parents.iter().enumerate() {
            let parent = parent.map(|parent| format!("user-{parent}")).unwrap_or_default();
            writeln!(file, "user-{person},{parent}").expect("a string takes everything");
        }
        file
    }

    /// How many.
    pub fn people(&self) -> u32 {
        u32::try_from(self.parents.len()).expect("as many as were asked for")
    }

    fn parent(&self, person: u32) -> Option<u32> {
        self.parents[person as usize]
    }

    /// How many rewards a purchase brings, and their sum.
    fn rewards_of(&self, purchase: Purchase) -> (i64, i64) {
        let Some(referrer) = self.parent(purchase.person) else { return (0, 0) };
        let share = |percent: u32| purchase.amount * i64::from(percent) / 100;
        let mut rewards = (1, share(CASHBACK));
        let mut ancestor = Some(referrer);
        for percent in LEVELS {
            let Some(paid) = ancestor else { break };
            rewards = (rewards.0 + 1, rewards.1 + share(percent));
            ancestor = self.parent(paid);
        }
        rewards
    }
}

/// One purchase.
#[derive(Clone, Copy)]
struct Purchase {
    number: u32,
    person: u32,
    /// Minor units.
    amount: i64,
}

/// Purchases one after another, from one number to another.
#[derive(Clone, Copy)]
pub struct Purchases {
    from: u32,
    to: u32,
}

impl Purchases {
    /// None yet.
    pub const fn none() -> Self {
        Self { from: 0, to: 0 }
    }

    /// As many as are asked for, after these.
    pub const fn next(self, events: u32) -> Self {
        Self { from: self.to, to: self.to + events }
    }

    /// How many.
    pub const fn events(self) -> u32 {
        self.to - self.from
    }

    /// Rounds in which nobody buys twice: an import leaves one outbox row for each person, and here each purchase shall
    /// have one of its own.
    pub fn rounds(self, people: u32) -> impl Iterator<Item = Self> {
        let starts = (self.from..self.to).step_by(people as usize);
        starts.map(move |from| Self { from, to: self.to.min(from + people) })
    }

    /// The purchases as a file to import.
    pub fn file(self, forest: &Forest) -> String {
        let mut file = String::from("external_id,type,amount,currency,idempotency_key\n");
        for Purchase { number, person, amount } in self.each(forest.people()) {
            writeln!(file, "user-{person},purchase,{}.00,USD,order-{number}", amount / 100)
                .expect("a string takes everything");
        }
        file
    }

    /// How many rewards all purchases up to the last of these bring, and their sum.
    pub fn rewards_until(self, forest: &Forest) -> (i64, i64) {
        Self { from: 0, to: self.to }.rewards(forest)
    }

    /// How many rewards these bring, and their sum.
    pub fn rewards(self, forest: &Forest) -> (i64, i64) {
        let each = self.each(forest.people()).map(|purchase| forest.rewards_of(purchase));
        each.fold((0, 0), |(count, sum), (more, amount)| (count + more, sum + amount))
    }

    fn each(self, people: u32) -> impl Iterator<Item = Purchase> {
        (self.from..self.to).map(move |number| {
            let person = u64::from(number) * STRIDE % u64::from(people);
            let person = u32::try_from(person).expect("below the number of people");
            Purchase { number, person, amount: i64::from(1 + number % 9) * UNIT }
        })
    }
}
