//! A made-up crowd of newcomers of whom it is known who cheats: pure, and the same for the same seed.
//!
//! Honest people share more than one would think: a household its address and sometimes its only computer, an office its
//! line, a university one network with a handful of addresses, phones the address of their carrier. Cheats come as rings
//! on few devices, careful rings with a new device for each account, farms of aliases of one mailbox, and scripts that
//! follow a link again and again from one hosting network.

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::mixed_crowd;

/// Seconds of an hour and of a day.
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Days over which the crowd arrives.
const DAYS: i64 = 60;

/// Which crowd to make up.
#[derive(Clone, Debug)]
pub struct CrowdSpec {
    /// How many people.
    pub people: usize,
    /// The same seed gives the same crowd.
    pub seed: u64,
    scenes: Scenes,
}

/// Of what a crowd is made.
#[derive(Clone, Debug)]
enum Scenes {
    /// Of those in this file; rings have one of these sizes.
    Plain(Vec<usize>),
    /// Of those of [`mixed_crowd`](super::mixed_crowd).
    Mixed,
}

impl CrowdSpec {
    /// The crowd that the usual policy was made with.
    pub fn first(people: usize) -> Self {
        Self { people, seed: 1, scenes: Scenes::Plain(vec![3, 4, 5, 8, 12, 20, 35, 60, 110, 200]) }
    }

    /// The same scenes with another seed and other rings.
    pub fn second(people: usize) -> Self {
        Self { people, seed: 20_261, scenes: Scenes::Plain(vec![3, 6, 7, 11, 17, 29, 48, 83, 140]) }
    }

    /// Other scenes, made up without a look at the signs and their weights: nothing was tuned to them, nor they to it.
    pub fn third(people: usize) -> Self {
        Self { people, seed: 71, scenes: Scenes::Mixed }
    }

    /// How many accounts the rings have, where all are made alike.
    pub fn ring_sizes(&self) -> Option<&[usize]> {
        match &self.scenes {
            Scenes::Plain(sizes) => Some(sizes),
            Scenes::Mixed => None,
        }
    }

    /// The three of them.
    pub fn all(people: usize) -> [Self; 3] {
        [Self::first(people), Self::second(people), Self::third(people)]
    }
}

/// How somebody came to be in the crowd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Shares nothing but, perhaps, the address of a carrier.
    Stranger,
    /// Lives with their referrer, each with devices of their own or some of them with one in common.
    Household,
    /// Works with their referrer.
    Office,
    /// Studies with their referrer.
    University,
    /// An account on one of a ring's few devices.
    Ring,
    /// An account of a ring with a new device for each.
    CarefulRing,
    /// An account with an alias of one mailbox.
    AliasFarm,
    /// An account that a script made, known only by the address of its click.
    StuffedClick,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Stranger,
        Self::Household,
        Self::Office,
        Self::University,
        Self::Ring,
        Self::CarefulRing,
        Self::AliasFarm,
        Self::StuffedClick,
    ];

    /// What it is called in a report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stranger => "strangers",
            Self::Household => "households",
            Self::Office => "offices",
            Self::University => "universities",
            Self::Ring => "rings",
            Self::CarefulRing => "careful rings",
            Self::AliasFarm => "alias farms",
            Self::StuffedClick => "stuffed clicks",
        }
    }

    /// Whether these referrals are fraud.
    pub const fn is_fraud(self) -> bool {
        matches!(self, Self::Ring | Self::CarefulRing | Self::AliasFarm | Self::StuffedClick)
    }
}

/// One signup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// A number of their own; referrers are named by it.
    pub number: usize,
    /// Who brought them in.
    pub referrer: Option<usize>,
    /// How they came to be here.
    pub kind: Kind,
    /// Seconds since the beginning.
    pub second: i64,
    /// The address.
    pub ip: Option<String>,
    /// The device.
    pub device: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// Makes a crowd up, in the order of arrival. Whoever is referred comes after their referrer.
pub fn generate_crowd(spec: &CrowdSpec) -> Vec<Arrival> {
    match &spec.scenes {
        Scenes::Plain(ring_sizes) => plain_crowd(spec, ring_sizes),
        Scenes::Mixed => mixed_crowd::generate(spec.people, spec.seed),
    }
}

fn plain_crowd(spec: &CrowdSpec, ring_sizes: &[usize]) -> Vec<Arrival> {
    let mut maker = Maker { rng: StdRng::seed_from_u64(spec.seed), crowd: Vec::new(), places: 0 };
    let cheats = spec.people / 8;
    let mut sizes = ring_sizes.iter().copied().cycle().take(spec.people);
    while maker.crowd.len() < cheats {
        match maker.rng.random_range(0..10) {
            0..5 => maker.ring(sizes.next().unwrap_or(3)),
            5..7 => maker.careful_ring(sizes.next().unwrap_or(3)),
            7..9 => maker.alias_farm(),
            _ => maker.stuffed_clicks(),
        }
    }
    while maker.crowd.len() < spec.people {
        match maker.rng.random_range(0..100) {
            0..45 => maker.strangers(),
            45..94 => maker.household(),
            94..99 => maker.office(),
            _ => maker.university(),
        }
    }
    maker.crowd.truncate(spec.people);
    maker.crowd.sort_by_key(|arrival| (arrival.second, arrival.number));
    maker.crowd
}

struct Maker {
    rng: StdRng,
    crowd: Vec<Arrival>,
    places: u32,
}

impl Maker {
    /// An instant, early enough that friends can follow within the time.
    fn begin(&mut self) -> i64 {
        self.rng.random_range(0..DAYS * DAY / 2)
    }

    /// The network of a new place: /24, all different.
    fn network(&mut self) -> String {
        self.places += 1;
        let place = self.places;
        format!("{}.{}.{}", 11 + place / 65_536, place / 256 % 256, place % 256)
    }

    fn address(&mut self) -> String {
        let network = self.network();
        self.host(&network)
    }

    fn host(&mut self, network: &str) -> String {
        format!("{network}.{}", self.rng.random_range(1..255))
    }

    fn device(&mut self) -> String {
        format!("device-{:016x}", self.rng.next_u64())
    }

    /// A mailbox that nobody else has.
    fn mailbox(&mut self, domain: &str) -> String {
        format!("m{:012x}@{domain}", self.rng.next_u64() >> 16)
    }

    fn usual_mailbox(&mut self) -> String {
        let domain = ["gmail.com", "outlook.com", "yahoo.com", "icloud.com", "example.org"].choose(&mut self.rng);
        let domain = domain.copied().unwrap_or("gmail.com");
        self.mailbox(domain)
    }

    fn throw_away_mailbox(&mut self) -> String {
        let domain = ["mailinator.com", "guerrillamail.com", "yopmail.com", "10minutemail.com"].choose(&mut self.rng);
        let domain = domain.copied().unwrap_or("mailinator.com");
        self.mailbox(domain)
    }

    fn add(&mut self, kind: Kind, referrer: Option<usize>, (second, ip, device, email): Seen) -> usize {
        let number = self.crowd.len();
        self.crowd.push(Arrival { number, referrer, kind, second, ip, device, email });
        number
    }

    /// Somebody whom nobody here brought in: referrals begin with them.
    fn first(&mut self, kind: Kind, second: i64, ip: Option<String>) -> (usize, String) {
        let (device, email) = (self.device(), self.usual_mailbox());
        (self.add(kind, None, (second, ip, Some(device.clone()), Some(email))), device)
    }

    /// One person and the friends they bring in from all over the place; phones share the addresses of their carrier.
    fn strangers(&mut self) {
        let mut second = self.begin();
        let ip = self.address();
        let (referrer, _) = self.first(Kind::Stranger, second, Some(ip));
        let friends =
            if self.rng.random_bool(0.02) { self.rng.random_range(20..60) } else { self.rng.random_range(0..5) };
        for _ in 0..friends {
            second += self.rng.random_range(HOUR / 4..2 * DAY);
            let ip = match self.rng.random_bool(0.25) {
                true => format!("100.64.{}.{}", self.rng.random_range(0..4), self.rng.random_range(1..20)),
                false => self.address(),
            };
            let (device, email) = (self.device(), self.usual_mailbox());
            self.add(Kind::Stranger, Some(referrer), (second, Some(ip), Some(device), Some(email)));
        }
    }

    /// Two to six people behind one address; in every tenth household some of them use one computer.
    fn household(&mut self) {
        let (mut second, ip) = (self.begin(), self.address());
        let (referrer, computer) = self.first(Kind::Household, second, Some(ip.clone()));
        let sharing = self.rng.random_bool(0.1);
        for _ in 0..self.rng.random_range(1..6) {
            second += self.rng.random_range(60..5 * DAY);
            let device = if sharing && self.rng.random_bool(0.5) { computer.clone() } else { self.device() };
            let email = self.usual_mailbox();
            self.add(Kind::Household, Some(referrer), (second, Some(ip.clone()), Some(device), Some(email)));
        }
    }

    /// Colleagues who hear of it over a week, on one line.
    fn office(&mut self) {
        let (begin, ip) = (self.begin(), self.address());
        let (referrer, _) = self.first(Kind::Office, begin, Some(ip.clone()));
        for _ in 0..self.rng.random_range(5..40) {
            let second = begin + self.rng.random_range(HOUR..5 * DAY);
            let (device, email) = (self.device(), self.usual_mailbox());
            self.add(Kind::Office, Some(referrer), (second, Some(ip.clone()), Some(device), Some(email)));
        }
    }

    /// Many students behind four addresses; some of them bring in their year, in every third university one of them at a
    /// stand within an hour.
    fn university(&mut self) {
        let (begin, network) = (self.begin(), self.network());
        let gates: Vec<String> = (0..4).map(|_| self.host(&network)).collect();
        let has_stand = self.rng.random_bool(1.0 / 3.0);
        for keen in 0..self.rng.random_range(8..16) {
            let start = begin + self.rng.random_range(0..10 * DAY);
            let gate = gates[keen % gates.len()].clone();
            let (referrer, _) = self.first(Kind::University, start, Some(gate));
            let (friends, within) =
                if has_stand && keen == 0 { (30, HOUR) } else { (self.rng.random_range(2..20), 14 * DAY) };
            for _ in 0..friends {
                let second = start + self.rng.random_range(60..within);
                let gate = gates.choose(&mut self.rng).cloned();
                let (device, email) = (self.device(), self.usual_mailbox());
                self.add(Kind::University, Some(referrer), (second, gate, Some(device), Some(email)));
            }
        }
    }

    /// Accounts on few devices at few addresses, made in one or several sittings.
    fn ring(&mut self, size: usize) {
        let (mut second, network) = (self.begin(), self.network());
        let home = self.host(&network);
        let (referrer, own) = self.first(Kind::Ring, second, Some(home.clone()));
        let mut devices: Vec<String> = (0..1 + size / 12).map(|_| self.device()).collect();
        devices.push(own);
        let addresses: Vec<String> = (0..1 + size / 20).map(|_| self.host(&network)).chain([home]).collect();
        for _ in 0..size {
            second += self.rng.random_range(30..HOUR);
            let email = match self.rng.random_range(0..3) {
                0 => self.throw_away_mailbox(),
                _ => self.usual_mailbox(),
            };
            let (ip, device) = (addresses.choose(&mut self.rng).cloned(), devices.choose(&mut self.rng).cloned());
            self.add(Kind::Ring, Some(referrer), (second, ip, device, Some(email)));
        }
    }

    /// The same with the device wiped for each account: only the address, the pace and the mailboxes are left to see.
    fn careful_ring(&mut self, size: usize) {
        let (mut second, ip) = (self.begin(), self.address());
        let (referrer, _) = self.first(Kind::CarefulRing, second, Some(ip.clone()));
        let is_hasty = self.rng.random_bool(0.5);
        for _ in 0..size {
            second += if is_hasty { self.rng.random_range(20..120) } else { self.rng.random_range(HOUR / 6..6 * HOUR) };
            let device = self.device();
            let email = match self.rng.random_bool(0.7) {
                true => self.throw_away_mailbox(),
                false => self.usual_mailbox(),
            };
            self.add(Kind::CarefulRing, Some(referrer), (second, Some(ip.clone()), Some(device), Some(email)));
        }
    }

    /// One mailbox in many spellings, each from another place.
    fn alias_farm(&mut self) {
        let mut second = self.begin();
        let ip = self.address();
        let (referrer, _) = self.first(Kind::AliasFarm, second, Some(ip));
        let name = format!("farm{:08x}", self.rng.next_u64() >> 32);
        for account in 0..self.rng.random_range(5..60_usize) {
            second += self.rng.random_range(60..4 * HOUR);
            let dotted = |at: usize| format!("{}.{}", &name[..at], &name[at..]);
            let email = match self.rng.random_bool(0.5) {
                true => format!("{name}+{account}@gmail.com"),
                false => format!("{}+{account}@googlemail.com", dotted(1 + account % (name.len() - 1))),
            };
            let (ip, device) = (self.address(), self.device());
            self.add(Kind::AliasFarm, Some(referrer), (second, Some(ip), Some(device), Some(email)));
        }
    }

    /// A script on hired machines: nothing is known of its accounts but the addresses of their clicks.
    fn stuffed_clicks(&mut self) {
        let (mut second, network) = (self.begin(), self.network());
        let ip = self.address();
        let (referrer, _) = self.first(Kind::StuffedClick, second, Some(ip));
        let machines: Vec<String> = (0..6).map(|_| self.host(&network)).collect();
        for _ in 0..self.rng.random_range(30..150) {
            second += self.rng.random_range(20..180);
            let email = if self.rng.random_bool(0.3) { self.throw_away_mailbox() } else { self.usual_mailbox() };
            let ip = machines.choose(&mut self.rng).cloned();
            self.add(Kind::StuffedClick, Some(referrer), (second, ip, None, Some(email)));
        }
    }
}

/// When, and what a signup shows: address, device, e-mail address.
type Seen = (i64, Option<String>, Option<String>, Option<String>);

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_crowd_is_whole_ordered_and_the_same_again() {
        for spec in CrowdSpec::all(3_000) {
            let crowd = generate_crowd(&spec);
            assert_eq!(crowd, generate_crowd(&spec));
            assert_eq!(crowd.len(), 3_000);
            let arrived: HashMap<usize, i64> = crowd.iter().map(|arrival| (arrival.number, arrival.second)).collect();
            for arrival in &crowd {
                assert!(arrival.referrer.is_none_or(|referrer| arrived[&referrer] <= arrival.second), "{arrival:?}");
            }
            let fraud = crowd.iter().filter(|arrival| arrival.kind.is_fraud() && arrival.referrer.is_some()).count();
            assert!((300..800).contains(&fraud), "{fraud}");
            for kind in Kind::ALL {
                assert!(crowd.iter().any(|arrival| arrival.kind == kind), "nobody of {kind:?}");
            }
        }
        assert_ne!(generate_crowd(&CrowdSpec::first(500)), generate_crowd(&CrowdSpec::second(500)));
    }
}
