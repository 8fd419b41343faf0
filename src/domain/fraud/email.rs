//! Spellings of one mailbox, and mailboxes that are thrown away.
//!
//! What providers deliver to the same mailbox: Gmail leaves out dots and what follows a plus sign
//! (<https://support.google.com/mail/answer/7436150>), Outlook, iCloud, Proton and Fastmail what follows a plus sign, Yahoo
//! what follows a hyphen, which cannot stand in the name of an account there. Nothing is assumed of other providers but
//! the plus sign, which is the usual separator (RFC 5233, section 1).

use std::{collections::HashSet, sync::LazyLock};

use crate::domain::contact::{ContactError, spell_email};

/// Domains that are names of one another: the left one is taken for the right one.
const SAME: [(&str, &str); 8] = [
    ("googlemail.com", "gmail.com"),
    ("protonmail.com", "proton.me"),
    ("pm.me", "proton.me"),
    ("me.com", "icloud.com"),
    ("mac.com", "icloud.com"),
    ("ymail.com", "yahoo.com"),
    ("rocketmail.com", "yahoo.com"),
    ("ya.ru", "yandex.ru"),
];
/// Providers that do not see dots in the name.
const DOTLESS: [&str; 2] = ["gmail.com", "proton.me"];
/// Providers whose tags begin with a hyphen.
const HYPHENED: [&str; 1] = ["yahoo."];

/// Domains that hand out throw-away mailboxes.
static DISPOSABLE: LazyLock<HashSet<&'static str>> = LazyLock::new(|| mailchecker::blacklist().into_iter().collect());

/// An e-mail address, in the forms in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// In lower case, otherwise as it was spelled.
    pub spelled: String,
    /// The mailbox that it is delivered to, as far as its provider's ways are known.
    pub delivered: String,
    /// The domain.
    pub domain: String,
    /// Whether the domain hands out throw-away mailboxes.
    pub is_disposable: bool,
}

/// Reads an address.
///
/// # Errors
/// What is not `name@domain`.
pub fn read(typed: &str) -> Result<Mailbox, ContactError> {
    let spelled = spell_email(typed)?;
    let (name, domain) = spelled.rsplit_once('@').ok_or(ContactError::Email)?;
    let home = SAME.iter().find(|(other, _)| *other == domain).map_or(domain, |(_, home)| home);
    let delivered = format!("{}@{home}", plain(name, home));
    let (domain, is_disposable) = (domain.to_owned(), is_disposable(domain));
    Ok(Mailbox { delivered, domain, is_disposable, spelled })
}

/// A name without its tag, and without dots where the provider does not see them; a name that would be left empty stays.
fn plain(name: &str, home: &str) -> String {
    let separator = if HYPHENED.iter().any(|provider| home.starts_with(provider)) { '-' } else { '+' };
    let untagged = name.split(separator).next().filter(|plain| !plain.is_empty()).unwrap_or(name);
    if DOTLESS.contains(&home) { untagged.replace('.', "") } else { untagged.to_owned() }
}

/// Whether a domain, or one that it stands below, hands out throw-away mailboxes.
pub fn is_disposable(domain: &str) -> bool {
    let below = domain.match_indices('.').map(|(at, _)| &domain[at + 1..]);
    std::iter::once(domain).chain(below).filter(|parent| parent.contains('.')).any(|parent| DISPOSABLE.contains(parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_mailbox_are_one() {
        for (typed, delivered) in [
            ("Ann.Lee@gmail.com", "annlee@gmail.com"),
            ("a.n.n.l.e.e+shop@googlemail.com", "annlee@gmail.com"),
            ("ann.lee+x@example.com", "ann.lee@example.com"),
            ("ann.lee@example.com", "ann.lee@example.com"),
            ("annlee-shop@yahoo.com", "annlee@yahoo.com"),
            ("annlee-shop@ymail.com", "annlee@yahoo.com"),
            ("ann-lee@example.com", "ann-lee@example.com"),
            ("ann+a@outlook.com", "ann@outlook.com"),
            ("ann.lee+a@pm.me", "annlee@proton.me"),
            ("+tag@example.com", "+tag@example.com"),
        ] {
            assert_eq!(read(typed).unwrap().delivered, delivered, "{typed}");
        }
        assert_eq!(read(" Ann.Lee+x@Gmail.com ").unwrap().spelled, "ann.lee+x@gmail.com");
        assert!(read("nobody").is_err());
    }

    #[test]
    fn throw_away_domains_are_known_by_the_list_and_below_it() {
        for domain in ["mailinator.com", "guerrillamail.com", "ok.33mail.com"] {
            assert!(is_disposable(domain), "{domain}");
        }
        for domain in ["gmail.com", "example.com", "com", "mailinator.com.example.org"] {
            assert!(!is_disposable(domain), "{domain}");
        }
    }
}
