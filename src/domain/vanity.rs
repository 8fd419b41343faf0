//! Codes that somebody chose (rule 1): what they look like, and which are refused.

use std::{collections::HashSet, sync::LazyLock};

use rustrict::{Censor, Type};

use super::code::CodeKey;

/// Fewest letters and digits, and most signs.
const MIN_SYMBOLS: usize = 3;
const MAX_LEN: usize = 32;

/// Words that would make a code speak for the house, or that an address may need one day.
const RESERVED: [&str; 60] = [
    "ABOUT",
    "ACCOUNT",
    "ADMIN",
    "ADMINISTRATOR",
    "ANONYMOUS",
    "API",
    "ASSETS",
    "AUTH",
    "BANYAN",
    "BILLING",
    "CLAIM",
    "CLICK",
    "CODE",
    "CODES",
    "CONSOLE",
    "CONTACT",
    "CUSTOMERSERVICE",
    "DEFAULT",
    "FALSE",
    "FRAUD",
    "GRAPHIQL",
    "GRAPHQL",
    "HEALTH",
    "HELP",
    "HELPDESK",
    "HTTPS",
    "INFO",
    "INVITE",
    "LEGAL",
    "LINK",
    "LOGIN",
    "LOGOUT",
    "MODERATOR",
    "NONE",
    "NULL",
    "OFFICIAL",
    "OPERATOR",
    "OWNER",
    "PAYMENT",
    "PAYOUT",
    "PRIVACY",
    "PROGRAM",
    "QR",
    "REDIRECT",
    "REFERRAL",
    "REFERRALCODE",
    "REFERRER",
    "REFUND",
    "REVIEW",
    "REWARD",
    "ROOT",
    "SECURITY",
    "SIGNUP",
    "STAFF",
    "SUPPORT",
    "SYSTEM",
    "TERMS",
    "TEST",
    "TRUE",
    "UNDEFINED",
];

/// Why a code cannot be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VanityError {
    /// Too short, too long, or with other signs.
    #[error("a code has 3 to 32 of the signs A-Z, 0-9 and -, at least three of them letters or digits")]
    Form,
    /// Kept for the house.
    #[error("this code is reserved")]
    Reserved,
    /// Something that nobody wants to read on an invitation.
    #[error("this code could offend")]
    Offensive,
}

/// A code that somebody may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vanity {
    /// The form that is looked up.
    pub key: CodeKey,
    /// The form that is shown: as it was chosen.
    pub shown: String,
}

impl Vanity {
    /// Checks a code that somebody chose.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn choose(typed: &str) -> Result<Self, VanityError> {
        let shown = typed.trim();
        let plain = shown.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let key =
            CodeKey::fold(shown).filter(|key| plain && shown.len() <= MAX_LEN && key.as_str().len() >= MIN_SYMBOLS);
        let key = key.ok_or(VanityError::Form)?;
        if is_reserved(&key) {
            return Err(VanityError::Reserved);
        }
        if is_offensive(shown) {
            return Err(VanityError::Offensive);
        }
        Ok(Self { key, shown: shown.to_owned() })
    }
}

/// Compared folded, so that `ADM1N` is `ADMIN`.
fn is_reserved(key: &CodeKey) -> bool {
    static KEYS: LazyLock<HashSet<CodeKey>> =
        LazyLock::new(|| RESERVED.iter().filter_map(|word| CodeKey::fold(word)).collect());
    KEYS.contains(key)
}

/// Whether the list of `rustrict` finds anything in it, through digits and hyphens.
///
/// With the hyphens as they stand: taken out, `SUMMER-DEAL` would hold a word that nobody reads in it.
fn is_offensive(shown: &str) -> bool {
    Censor::from_str(&shown.to_lowercase()).analyze().is(Type::INAPPROPRIATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_code_is_kept_as_it_was_written() {
        let vanity = Vanity::choose(" Ann-2026 ").unwrap();
        assert_eq!((vanity.key.as_str(), vanity.shown.as_str()), ("ANN2026", "Ann-2026"));
        for fine in ["ABC", "A-B-C", "SCUNTHORPE", "ASSASSIN", "DICKENS", "SUMMER-DEAL", &"A".repeat(32), "HELP-ANN"] {
            assert!(Vanity::choose(fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn what_cannot_be_chosen_says_why() {
        let long = "A".repeat(33);
        for (typed, why) in [
            ("", VanityError::Form),
            ("AB", VanityError::Form),
            ("A---B", VanityError::Form),
            ("ANN LEE", VanityError::Form),
            ("ANN_LEE", VanityError::Form),
            ("ÄNN", VanityError::Form),
            ("ANN/..", VanityError::Form),
            (&long, VanityError::Form),
            ("A-------------------------------B", VanityError::Form),
            ("admin", VanityError::Reserved),
            ("ADM1N", VanityError::Reserved),
            ("a-d-m-i-n", VanityError::Reserved),
            ("LOG1N", VanityError::Reserved),
            ("F-U-C-K", VanityError::Offensive),
            ("sh1t-happens", VanityError::Offensive),
            ("HITLER", VanityError::Offensive),
        ] {
            assert_eq!(Vanity::choose(typed), Err(why), "{typed}");
        }
    }
}
