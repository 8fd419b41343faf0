//! Identifiers: UUIDv7 inside, TypeIDs (`user_01h...`) outside.
//!
//! The text form follows the TypeID specification 0.3 (github.com/jetify-com/typeid): a type prefix, an underscore and
//! the 128 bits in 26 symbols of lower-case Crockford base32, the first of which is at most 7.

use std::fmt;

use uuid::Uuid;

use super::time::Timestamp;

/// The 32 symbols of Crockford's base32, in lower case.
const SYMBOLS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Symbols of the suffix of a TypeID.
const SUFFIX_LEN: usize = 26;

/// The identity of one row: a UUIDv7, so that ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Uuid);

impl Id {
    /// Takes a UUID as it is.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Makes a UUIDv7 of a time and 74 random bits (the rest of `random` is overwritten by version and variant).
    pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.micros() / 1_000).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The UUID inside.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The text form: `prefix_suffix`.
    pub fn typed(self, noun: Noun) -> String {
        format!("{}_{}", noun.prefix(), encode(self.0.as_u128()))
    }
}

/// Shows the bare UUID; ids that leave the house are written with [`Id::typed`].
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an id names: the prefix of its text form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noun {
    /// A person of the host product.
    User,
    /// The edge from referrer to referred; it shares the UUID of the referred user.
    Referral,
    /// Something a user did.
    Event,
    /// Money taken back from an event.
    Refund,
    /// What a rule granted.
    Reward,
    /// A request to be paid.
    Claim,
    /// A named set of rules.
    Program,
    /// A visit through a link.
    Click,
    /// A human decision on a referral.
    Review,
    /// An entry of the allow list or the block list.
    Listing,
    /// A credential of the host.
    ApiKey,
}

impl Noun {
    /// Every noun, for looking a prefix up.
    pub const ALL: [Self; 11] = [
        Self::User,
        Self::Referral,
        Self::Event,
        Self::Refund,
        Self::Reward,
        Self::Claim,
        Self::Program,
        Self::Click,
        Self::Review,
        Self::Listing,
        Self::ApiKey,
    ];

    /// The prefix before the underscore.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Referral => "referral",
            Self::Event => "event",
            Self::Refund => "refund",
            Self::Reward => "reward",
            Self::Claim => "claim",
            Self::Program => "program",
            Self::Click => "click",
            Self::Review => "review",
            Self::Listing => "listing",
            Self::ApiKey => "apikey",
        }
    }
}

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not `prefix_` and 26 symbols.
    #[error("an id looks like `user_01h455vb4pex5vsknk084sn02q`")]
    Malformed,
    /// The prefix names nothing we know.
    #[error("no id begins with `{0}_`")]
    UnknownNoun(String),
    /// An id of another noun than the one asked for.
    #[error("this is the id of a {found}, not of a {wanted}", found = found.prefix(), wanted = wanted.prefix())]
    OtherNoun {
        /// What was asked for.
        wanted: Noun,
        /// What the id names.
        found: Noun,
    },
}

/// Reads a TypeID of any noun.
pub fn parse(text: &str) -> Result<(Noun, Id), IdError> {
    let (prefix, suffix) = text.rsplit_once('_').ok_or(IdError::Malformed)?;
    let value = decode(suffix).ok_or(IdError::Malformed)?;
    let noun = Noun::ALL.into_iter().find(|noun| noun.prefix() == prefix);
    let noun = noun.ok_or_else(|| IdError::UnknownNoun(prefix.chars().take(16).collect()))?;
    Ok((noun, Id(Uuid::from_u128(value))))
}

/// Reads the TypeID of one noun.
pub fn parse_as(wanted: Noun, text: &str) -> Result<Id, IdError> {
    let (found, id) = parse(text)?;
    if found == wanted { Ok(id) } else { Err(IdError::OtherNoun { wanted, found }) }
}

fn encode(value: u128) -> String {
    (0..SUFFIX_LEN).rev().map(|place| char::from(SYMBOLS[(value >> (place * 5) & 31) as usize])).collect()
}

/// The one spelling of each value only: lower case, no overflow of the 128 bits.
fn decode(suffix: &str) -> Option<u128> {
    let bytes = suffix.as_bytes();
    if bytes.len() != SUFFIX_LEN || bytes[0] > b'7' {
        return None;
    }
    bytes.iter().try_fold(0_u128, |value, byte| {
        let digit = SYMBOLS.iter().position(|symbol| symbol == byte)?;
        Some(value << 5 | digit as u128)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn follows_the_published_example() {
        let id = Id::from_uuid("01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap());
        assert_eq!(id.typed(Noun::User), "user_01h455vb4pex5vsknk084sn02q");
        assert_eq!(parse("user_01h455vb4pex5vsknk084sn02q"), Ok((Noun::User, id)));
    }

    #[test]
    fn refuses_what_is_no_id() {
        for text in [
            "",
            "user",
            "user_",
            "user_01h455vb4pex5vsknk084sn02",
            "user_81h455vb4pex5vsknk084sn02q",
            "user_01H455VB4PEX5VSKNK084SN02Q",
        ] {
            assert_eq!(parse(text), Err(IdError::Malformed), "{text}");
        }
        assert_eq!(parse("tree_01h455vb4pex5vsknk084sn02q"), Err(IdError::UnknownNoun("tree".into())));
        assert!(matches!(parse_as(Noun::Event, "user_01h455vb4pex5vsknk084sn02q"), Err(IdError::OtherNoun { .. })));
    }

    #[test]
    fn sorts_by_time() {
        let early = Id::new(Timestamp::from_micros(1_000_000), [255; 10]);
        let late = Id::new(Timestamp::from_micros(1_001_000), [0; 10]);
        assert!(early < late);
        assert_eq!(early.uuid().get_version_num(), 7);
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(value: u128) {
            let id = Id::from_uuid(Uuid::from_u128(value));
            prop_assert_eq!(parse(&id.typed(Noun::Reward)), Ok((Noun::Reward, id)));
        }
    }
}
