//! Who lives in the house.

use std::collections::BTreeMap;

/// Somebody in the house, and what the host tells about them.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// What the stories call them.
    pub person: &'static str,
    pub name: &'static str,
    pub referrer: Option<&'static str>,
    /// The device that they sign up on; one of their own unless told.
    pub device: Option<&'static str>,
    /// Whether they come by their referrer's link.
    pub follows_link: bool,
}

const fn part(person: &'static str, name: &'static str, referrer: Option<&'static str>) -> Part {
    Part { person, name, referrer, device: None, follows_link: false }
}

const fn on_device(part: Part, device: &'static str) -> Part {
    Part { device: Some(device), ..part }
}

/// Everybody, in the order in which they come.
pub static CAST: [Part; 22] = [
    part("zoe", "Zoe Zenith", None),
    part("ann", "Ann Ashford", Some("zoe")),
    // The member who looks around.
    Part { follows_link: true, ..part("ben", "Ben Middleton", Some("ann")) },
    part("cleo", "Cleo Calder", Some("ben")),
    part("fay", "Fay Fenwick", Some("cleo")),
    part("ola", "Ola Orchard", Some("fay")),
    // They share a device: she waits for review, she was denied.
    on_device(part("hal", "Hal Harrow", Some("ben")), "tablet-7f3"),
    on_device(part("ivy", "Ivy Ingram", Some("ben")), "tablet-7f3"),
    // She is suspended, and is skipped when he is paid for.
    part("sue", "Sue Sutton", Some("ben")),
    part("tom", "Tom Tarrant", Some("sue")),
    // He is moved from Ben to Dan.
    part("gus", "Gus Garland", Some("ben")),
    // He is erased.
    part("eli", "Eli Easton", Some("ben")),
    part("kim", "Kim Kendrick", Some("eli")),
    // He brought in most, and is nobody to Ben.
    part("dan", "Dan Dunmore", None),
    part("pia", "Pia Pickering", Some("dan")),
    part("pat", "Pat Parsley", Some("dan")),
    part("pip", "Pip Pemberton", Some("dan")),
    part("poe", "Poe Pritchard", Some("dan")),
    part("pam", "Pam Pendle", Some("dan")),
    // To be moved, suspended and erased by the matrix itself.
    part("mia", "Mia Mortimer", Some("dan")),
    part("wes", "Wes Whitlock", Some("dan")),
    part("lea", "Lea Lancaster", Some("dan")),
];

/// Those who buy something, in this order.
pub const BUYERS: [&str; 17] = [
    "ann", "ben", "cleo", "fay", "ola", "hal", "ivy", "tom", "gus", "eli", "kim", "dan", "pia", "pat", "pip", "poe",
    "pam",
];

/// Who is moved, and to whom.
pub const MOVED: (&str, &str) = ("gus", "dan");

impl Part {
    /// Their part, by what the stories call them.
    pub fn of(person: &str) -> &'static Self {
        CAST.iter().find(|part| part.person == person).unwrap_or_else(|| panic!("nobody is called {person}"))
    }

    /// The host's own id of them.
    pub fn external_id(&self) -> String {
        format!("host-id-of-{}", self.person)
    }

    pub fn email(&self) -> String {
        format!("{}@letters-of-{}.example", self.person, self.person)
    }

    /// A number in Berlin, one for each place in the cast.
    pub fn phone(&self) -> String {
        let place = CAST.iter().position(|part| part.person == self.person).unwrap_or_default();
        format!("+49301234{:04}", 5_000 + place)
    }

    pub fn device(&self) -> String {
        self.device.map_or_else(|| format!("device-of-{}", self.person), str::to_owned)
    }

    /// Their first order.
    pub fn order(&self) -> String {
        format!("order of {}", self.person)
    }
}

/// Everybody below somebody, after all that happens.
pub fn below(person: &str) -> Vec<&'static str> {
    let mut above: BTreeMap<_, _> = CAST.iter().map(|part| (part.person, part.referrer)).collect();
    above.insert(MOVED.0, Some(MOVED.1));
    let is_below = |start: &'static str| {
        let mut at = Some(start);
        while let Some(here) = at {
            at = above[here];
            if at == Some(person) {
                return true;
            }
        }
        false
    };
    CAST.iter().map(|part| part.person).filter(|other| is_below(other)).collect()
}
