//! A made-up population of newcomers, of each of whom it is known whether they cheat, put together out of groups.
//! Every group adds its people with the referrer before those whom they refer.

use std::collections::BTreeMap;

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::crowd::{Arrival, Kind};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The time within which groups begin.
const SPAN: i64 = 60 * DAY;
/// Of a hundred referrals, so many are fraud.
const FRAUD_PERCENT: usize = 13;
/// The width of a group in which only the founders refer others.
const FLAT: usize = usize::MAX;
/// Nothing in common.
const NONE: Pool = (Vec::new(), 0.0);

const HONEST: [(Kind, usize); 4] =
    [(Kind::Stranger, 45), (Kind::Household, 22), (Kind::Office, 15), (Kind::University, 18)];
const FRAUD: [(Kind, usize); 4] =
    [(Kind::AliasFarm, 15), (Kind::CarefulRing, 27), (Kind::StuffedClick, 15), (Kind::Ring, 43)];
const RING_SIZES: [usize; 22] = [3, 3, 3, 4, 4, 4, 6, 6, 6, 9, 9, 9, 13, 13, 22, 22, 31, 31, 55, 90, 160, 200];
const CAREFUL_SIZES: [usize; 10] = [3, 4, 5, 6, 8, 12, 18, 25, 40, 60];
const WIDTHS: [usize; 5] = [FLAT, FLAT, FLAT, 2, 4];
const HOMES: [&str; 13] = ["24", "31", "46", "62", "71", "78", "84", "86", "91", "94", "109", "151", "176"];
const HOMES_SIX: [&str; 6] = ["2a02:8109", "2003:e5", "2601:184", "2409:4042", "2804:14c", "2a01:e0a"];
const CAMPUSES: [&str; 6] = ["128.32", "129.187", "130.83", "141.20", "147.32", "193.175"];
const HOSTING: [&str; 8] = ["5.9", "45.77", "51.38", "88.99", "138.201", "159.65", "167.99", "172.104"];
const FIRST: [&str; 10] = ["anna", "jonas", "maria", "peter", "aisha", "lucas", "olga", "ravi", "sofia", "tomas"];
const SYLLABLES: [&str; 14] = ["ba", "ko", "li", "man", "ner", "ro", "sen", "ti", "va", "wel", "zu", "dor", "mi", "pe"];
const PROVIDERS: [&str; 6] = ["gmail.com", "gmail.com", "outlook.com", "yahoo.com", "icloud.com", "proton.me"];
const TAGGED: [&str; 6] = ["gmail.com", "gmail.com", "gmail.com", "outlook.com", "fastmail.com", "proton.me"];
const THROWAWAY: [&str; 6] =
    ["mailinator.com", "yopmail.com", "guerrillamail.com", "temp-mail.org", "sharklasers.com", "trashmail.com"];

/// Things which a group has in common, and how likely one of the group uses them.
type Pool = (Vec<String>, f64);

/// How a group grows: the founders come of their own accord, and the oldest one in `width` refer others too.
struct Shape {
    size: usize,
    founders: usize,
    width: usize,
    gap: i64,
}

/// The crowd while it grows.
struct Crowd {
    rng: StdRng,
    arrivals: Vec<Arrival>,
    mobile: Vec<String>,
    counts: BTreeMap<Kind, usize>,
    referrals: usize,
    fraud: usize,
}

/// Makes a crowd of so many people, in the order in which they arrive.
pub(super) fn generate(people: usize, seed: u64) -> Vec<Arrival> {
    let (rng, arrivals, counts) = (StdRng::seed_from_u64(seed), Vec::new(), BTreeMap::new());
    let mut crowd = Crowd { rng, arrivals, mobile: Vec::new(), counts, referrals: 0, fraud: 0 };
    crowd.mobile = (0..8).flat_map(|_| crowd.home_block(5 + people / 320)).collect();
    while crowd.arrivals.len() < people {
        crowd.scene();
    }
    let mut arrivals = crowd.arrivals;
    arrivals.truncate(people);
    arrivals.sort_by_key(|arrival| (arrival.second, arrival.number));
    arrivals
}

/// Writes a local part with dots in it, at other places for every index.
fn dotted(local: &str, index: usize) -> String {
    let dot = |at: usize| at > 0 && (index.wrapping_mul(37) >> (at - 1)) & 1 == 1;
    local.chars().enumerate().flat_map(|(at, letter)| dot(at).then_some('.').into_iter().chain([letter])).collect()
}

impl Crowd {
    fn pick<T: Copy + Default>(&mut self, options: &[T]) -> T {
        options.choose(&mut self.rng).copied().unwrap_or_default()
    }

    /// A pause of the given mean: often short, now and then long.
    fn pause(&mut self, mean: i64) -> i64 {
        let longest = self.rng.random_range(1..=4 * mean);
        self.rng.random_range(0..=longest)
    }

    /// Some addresses in each of some networks of 24 bits, all within one of the wider networks.
    fn blocks(&mut self, wider: &[&'static str], count: usize, each: usize) -> Vec<String> {
        let wide = self.pick(wider);
        let thirds: Vec<u8> = (0..count).map(|_| self.rng.random_range(0..=255)).collect();
        let host = |place: usize| format!("{wide}.{}.{}", thirds[place / each], self.rng.random_range(2..255));
        (0..count * each).map(host).collect()
    }

    /// Some addresses of one network of 24 bits of a provider for homes.
    fn home_block(&mut self, count: usize) -> Vec<String> {
        let first = self.pick(&HOMES);
        let (second, third) = (self.rng.random_range(0..256), self.rng.random_range(0..256));
        (0..count).map(|_| format!("{first}.{second}.{third}.{}", self.rng.random_range(1..255))).collect()
    }

    /// The line of one home: an IPv4 address, or some hosts in an IPv6 network of 64 bits.
    fn line(&mut self) -> Vec<String> {
        if self.rng.random_bool(0.75) {
            return self.home_block(1);
        }
        let provider = self.pick(&HOMES_SIX);
        let (site, net) = (self.rng.random_range(1..0x1_0000), self.rng.random_range(1..0x1_0000));
        let mut part = || self.rng.random_range(1..0x1_0000);
        let mut host = || format!("{:x}:{:x}:{:x}:{:x}", part(), part(), part(), part());
        (0..10).map(|_| format!("{provider}:{site:x}:{net:x}:{}", host())).collect()
    }

    fn machines(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| format!("{:016x}", self.rng.next_u64())).collect()
    }

    /// An invented word: the name of a family, of a firm or of a series of accounts.
    fn word(&mut self) -> String {
        (0..3).map(|_| self.pick(&SYLLABLES)).collect()
    }

    fn mailbox(&mut self, domain: &str) -> String {
        let (first, last) = (self.pick(&FIRST), self.word());
        let number = self.rng.random_range(1..3000);
        match self.rng.random_range(0..4) {
            0 => format!("{first}.{last}@{domain}"),
            1 => format!("{first}.{last}{number}@{domain}"),
            2 => format!("{first}{last}{number}@{domain}"),
            _ => format!("{last}{number}@{domain}"),
        }
    }

    fn ordinary(&mut self) -> String {
        let domain = self.pick(&PROVIDERS);
        self.mailbox(domain)
    }

    fn throwaway(&mut self) -> String {
        let domain = self.pick(&THROWAWAY);
        format!("{:09x}@{domain}", self.rng.next_u64() >> 28)
    }

    /// A mailbox written in many ways, with dots only where the provider overlooks them.
    fn aliases(&mut self, size: usize) -> Vec<String> {
        let (local, domain) = (self.pick(&FIRST).to_owned() + &self.word(), self.pick(&TAGGED));
        let style = if domain == "gmail.com" { self.rng.random_range(0..4) } else { 0 };
        let other = if style == 3 { "googlemail.com" } else { domain };
        let written = |index: usize| match (style, index % 3) {
            (0, _) | (2 | 3, 0) => format!("{local}+{index}@{domain}"),
            (3, 1) => format!("{}+{index}@{other}", dotted(&local, index)),
            _ => format!("{}@{other}", dotted(&local, index)),
        };
        (0..size).map(written).collect()
    }

    /// A newcomer who leaves nothing that they have in common with others but, maybe, the address of a carrier.
    fn private(&mut self, kind: Kind, referrer: Option<usize>, second: i64) -> Arrival {
        let mobile = self.rng.random_bool(0.38);
        let ip = if mobile { self.mobile.choose(&mut self.rng).cloned() } else { self.line().pop() };
        let ip = ip.filter(|_| self.rng.random_bool(0.98));
        let device = self.machines(1).pop().filter(|_| self.rng.random_bool(0.92));
        let email = match self.rng.random_range(0..100) {
            0..8 => None,
            8..10 => Some(self.throwaway()),
            10..13 => Some(self.mailbox("gmail.com").replacen('@', "+shop@", 1)),
            13..17 => Some(format!("{:010x}@privaterelay.appleid.com", self.rng.next_u64() >> 24)),
            _ => Some(self.ordinary()),
        };
        Arrival { number: self.arrivals.len(), referrer, kind, second, ip, device, email }
    }

    /// Adds a group of the kind of which the most is missing.
    fn scene(&mut self) {
        let shares = if self.fraud * 100 < self.referrals * FRAUD_PERCENT { &FRAUD } else { &HONEST };
        let filled = |kind: &Kind| self.counts.get(kind).copied().unwrap_or(0) * 1000;
        let rarest = shares.iter().min_by_key(|(kind, share)| filled(kind) / share);
        match rarest.map_or(Kind::Stranger, |(kind, _)| *kind) {
            Kind::Stranger => self.strangers(),
            Kind::Household => self.household(),
            Kind::Office => self.office(),
            Kind::University => self.university(),
            Kind::Ring => self.ring(),
            Kind::CarefulRing => self.careful_ring(),
            Kind::AliasFarm => self.alias_farm(),
            Kind::StuffedClick => self.stuffed_click(),
        }
    }

    /// An honest person who is there already and may have told the founder of another group.
    fn acquaintance(&mut self, kind: Kind, second: i64) -> Option<usize> {
        let known = self.arrivals.choose(&mut self.rng)?;
        let honest = !kind.is_fraud() && !known.kind.is_fraud();
        let told = honest && known.second <= second && self.rng.random_bool(0.6);
        told.then_some(known.number)
    }

    /// Adds a group. Some cheats begin with an account of their own, and some have a true friend or two.
    fn gather(&mut self, kind: Kind, shape: &Shape, net: &Pool, devices: &Pool, mails: &Pool) {
        let mut second = self.rng.random_range(0..SPAN);
        let mut members: Vec<usize> = Vec::new();
        while members.len() < shape.size {
            let index = members.len();
            let referrer = if index < shape.founders {
                self.acquaintance(kind, second)
            } else {
                members[..shape.founders.max(index / shape.width)].choose(&mut self.rng).copied()
            };
            let friend = kind.is_fraud() && (1..4).contains(&index) && self.rng.random_bool(0.07);
            let mut arrival = self.private(if friend { Kind::Stranger } else { kind }, referrer, second);
            let master = kind.is_fraud() && index == 0;
            let apart = friend || master && (kind == Kind::StuffedClick || self.rng.random_bool(0.3));
            if !apart && self.rng.random_bool(net.1) {
                arrival.ip = net.0.choose(&mut self.rng).cloned();
            }
            if !apart && self.rng.random_bool(devices.1) {
                arrival.device = devices.0.choose(&mut self.rng).cloned();
            }
            if !apart && self.rng.random_bool(mails.1) {
                arrival.email = mails.0.get(index).cloned();
            }
            members.extend((!friend).then_some(arrival.number));
            *self.counts.entry(arrival.kind).or_insert(0) += 1;
            self.referrals += usize::from(referrer.is_some());
            self.fraud += usize::from(referrer.is_some() && arrival.kind.is_fraud());
            self.arrivals.push(arrival);
            second += self.pause(shape.gap);
        }
    }

    /// An influencer, friends of friends, the friends of one person, a party, or a library with public machines.
    fn strangers(&mut self) {
        let lot = self.rng.random_range(0..100);
        let (size, width, gap) = match lot {
            0..2 => (self.rng.random_range(120..=420), 40, 30 * MINUTE),
            2..60 => (self.rng.random_range(3..=18), 1, 2 * DAY),
            60..75 => (self.rng.random_range(2..=7), FLAT, DAY),
            75..88 => (self.rng.random_range(3..=8), 3, 5 * MINUTE),
            _ => (self.rng.random_range(4..=9), FLAT, DAY),
        };
        let net = if lot >= 75 { (self.home_block(1), 0.8) } else { NONE };
        let devices = if lot >= 88 { (self.machines(3), 0.8) } else { NONE };
        self.gather(Kind::Stranger, &Shape { size, founders: 1, width, gap }, &net, &devices, &NONE);
    }

    /// A family in one flat: some share a tablet or a computer, and some one mailbox with tags.
    fn household(&mut self) {
        let (size, gap) = (self.rng.random_range(2..=6), self.pick(&[20 * MINUTE, 5 * HOUR, 2 * DAY]));
        let width = self.pick(&[FLAT, FLAT, 1]);
        let net = (self.line(), 0.85);
        let devices = (self.machines(1), self.pick(&[0.0, 0.0, 0.0, 0.4, 0.95]));
        let base = self.mailbox("gmail.com");
        let mut tagged: Vec<String> = FIRST.iter().map(|name| base.replacen('@', &format!("+{name}@"), 1)).collect();
        tagged.insert(0, base);
        let mails = (tagged, self.pick(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.5]));
        self.gather(Kind::Household, &Shape { size, founders: 1, width, gap }, &net, &devices, &mails);
    }

    fn office(&mut self) {
        let (size, gap) = (self.rng.random_range(4..=45), self.pick(&[4 * MINUTE, 3 * HOUR, DAY, DAY]));
        let shape = Shape { size, founders: 1 + size / 9, width: self.pick(&[FLAT, 2]), gap };
        let (addresses, domain) = (self.pick(&[1, 1, 1, 2]), self.word() + ".com");
        let (net, devices) = ((self.home_block(addresses), 0.75), (self.machines(2), 0.05));
        let mails = ((0..size).map(|_| self.mailbox(&domain)).collect(), 0.6);
        self.gather(Kind::Office, &shape, &net, &devices, &mails);
    }

    /// A campus with addresses in some networks, or a dormitory behind one or two addresses.
    fn university(&mut self) {
        let campus = self.rng.random_bool(0.7);
        let size = if campus { self.rng.random_range(15..=90) } else { self.rng.random_range(5..=30) };
        let (blocks, each) = if campus { (self.rng.random_range(2..=4), 50) } else { (1, self.pick(&[1, 2])) };
        let gap = self.pick(&[5 * MINUTE, HOUR, 9 * HOUR, DAY]);
        let shape = Shape { size, founders: 1 + size / 20, width: self.pick(&[FLAT, 3, 1]), gap };
        let (net, domain) = ((self.blocks(&CAMPUSES, blocks, each), 0.7), format!("uni-{}.edu", self.word()));
        let devices = (self.machines(4), if campus { 0.07 } else { 0.02 });
        let mails = ((0..size).map(|_| self.mailbox(&domain)).collect(), 0.5);
        self.gather(Kind::University, &shape, &net, &devices, &mails);
    }

    /// The addresses of a cheat: a line at home, a telephone, neighbouring addresses, or another line each time.
    fn cheap_net(&mut self) -> Pool {
        match self.rng.random_range(0..10) {
            0..5 => (self.line(), 0.95),
            5..7 => (self.mobile.choose(&mut self.rng).cloned().into_iter().chain(self.line()).collect(), 0.95),
            7 => (self.home_block(30), 1.0),
            _ => NONE,
        }
    }

    /// The mailboxes of a cheat: thrown away, made by hand, numbered, or none at all.
    fn cheap_mails(&mut self, size: usize) -> Pool {
        let (word, domain) = (self.word() + &self.word(), self.pick(&PROVIDERS));
        let mails: Vec<String> = match self.rng.random_range(0..10) {
            0..4 => (0..size).map(|_| self.throwaway()).collect(),
            4..7 => (0..size).map(|_| self.ordinary()).collect(),
            7..9 => (0..size).map(|index| format!("{word}{}@{domain}", 101 + index)).collect(),
            _ => Vec::new(),
        };
        (mails, 0.97)
    }

    /// Many accounts on few devices, all referred by one of them or spread over several levels.
    fn ring(&mut self) {
        let (size, width) = (self.pick(&RING_SIZES), self.pick(&WIDTHS));
        let gap = self.pick(&[2 * MINUTE, 12 * MINUTE, HOUR, 8 * HOUR]);
        let each: usize = self.rng.random_range(4..=20);
        let devices = (self.machines(1 + size / each), 0.96);
        let (net, mails) = (self.cheap_net(), self.cheap_mails(size));
        self.gather(Kind::Ring, &Shape { size, founders: 1, width, gap }, &net, &devices, &mails);
    }

    /// A new device for each account, but hurried or with poor mailboxes; of one ring in six nothing can be seen.
    fn careful_ring(&mut self) {
        let (size, width) = (self.pick(&CAREFUL_SIZES), self.pick(&WIDTHS));
        let hidden = self.rng.random_range(0..6) == 0;
        let hurried = !hidden && self.rng.random_bool(0.5);
        let thrown = !hidden && (!hurried || self.rng.random_bool(0.3));
        let addresses = self.pick(&[1, 40]);
        let net = if hidden { NONE } else { (self.home_block(addresses), 0.97) };
        let gap = if hurried { self.pick(&[MINUTE, 4 * MINUTE]) } else { self.pick(&[3 * HOUR, 10 * HOUR, DAY]) };
        let mails = ((0..size).map(|_| if thrown { self.throwaway() } else { self.ordinary() }).collect(), 1.0);
        self.gather(Kind::CarefulRing, &Shape { size, founders: 1, width, gap }, &net, &NONE, &mails);
    }

    fn alias_farm(&mut self) {
        let (size, width) = (self.rng.random_range(4..=50), self.pick(&WIDTHS));
        let gap = self.pick(&[3 * MINUTE, HOUR, 7 * HOUR]);
        let (count, used) = (self.pick(&[1, 2, 4]), self.pick(&[0.0, 0.5, 0.97]));
        let (net, devices, mails) = (self.cheap_net(), (self.machines(count), used), (self.aliases(size), 1.0));
        self.gather(Kind::AliasFarm, &Shape { size, founders: 1, width, gap }, &net, &devices, &mails);
    }

    fn stuffed_click(&mut self) {
        let (size, gap) = (self.rng.random_range(15..=110), self.pick(&[20, MINUTE, 4 * MINUTE]));
        let (blocks, each) = (self.pick(&[1, 1, 2, 3]), self.pick(&[1, 6, 60]));
        let (net, mails) = ((self.blocks(&HOSTING, blocks, each), 1.0), self.cheap_mails(size));
        let unknown = (Vec::new(), 1.0);
        self.gather(Kind::StuffedClick, &Shape { size, founders: 1, width: FLAT, gap }, &net, &unknown, &mails);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_crowd_is_whole_ordered_and_mixed() {
        let (crowd, again) = (generate(4_000, 7), generate(4_000, 7));
        assert_eq!((crowd.len(), again.len()), (4_000, 4_000));
        assert!(crowd.is_sorted_by_key(|arrival| (arrival.second, arrival.number)));
        let mut seen = BTreeSet::new();
        for (one, other) in crowd.iter().zip(&again) {
            assert!(one.kind == other.kind && (one.number, one.second) == (other.number, other.second));
            assert_eq!((&one.referrer, &one.ip), (&other.referrer, &other.ip));
            assert_eq!((&one.device, &one.email), (&other.device, &other.email));
            assert!(one.referrer.is_none_or(|referrer| seen.contains(&referrer)));
            assert!(seen.insert(one.number));
        }
        let kinds: BTreeSet<Kind> = crowd.iter().map(|arrival| arrival.kind).collect();
        assert_eq!(kinds.len(), 8);
        let referred = crowd.iter().filter(|arrival| arrival.referrer.is_some());
        let (fraud, honest): (Vec<&Arrival>, Vec<&Arrival>) = referred.partition(|arrival| arrival.kind.is_fraud());
        let percent = fraud.len() * 100 / (fraud.len() + honest.len());
        assert!((8..=25).contains(&percent), "{percent} percent of the referrals are fraud");
    }
}
