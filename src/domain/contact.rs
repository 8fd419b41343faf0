//! E-mail addresses and phone numbers, brought into one form before they are hashed.
//!
//! The form only serves to see that two people are one: it is never shown nor written to.

/// Longest address that is looked at (RFC 5321, section 4.5.3.1.3).
const EMAIL_MAX_LEN: usize = 254;

/// Why a contact is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    /// Not `name@domain`.
    #[error("an e-mail address looks like `ann@example.com`")]
    Email,
    /// Not a number of 7 to 15 digits.
    #[error("a phone number has its country code and 7 to 15 digits, like `+49 30 1234567`")]
    Phone,
}

/// Lower case and checked, otherwise as it was typed.
pub fn spell_email(typed: &str) -> Result<String, ContactError> {
    let address = typed.trim().to_lowercase();
    let (name, domain) = address.rsplit_once('@').ok_or(ContactError::Email)?;
    let odd = |part: &str| part.is_empty() || part.chars().any(|symbol| symbol.is_whitespace() || symbol.is_control());
    if address.len() > EMAIL_MAX_LEN || odd(name) || odd(domain) || !domain.contains('.') || name.contains('@') {
        return Err(ContactError::Email);
    }
    Ok(address)
}

/// Lower case, without plus tag; without dots where the provider ignores them.
pub fn normalise_email(typed: &str) -> Result<String, ContactError> {
    let address = spell_email(typed)?;
    let (name, domain) = address.rsplit_once('@').ok_or(ContactError::Email)?;
    let domain = if domain == "googlemail.com" { "gmail.com" } else { domain };
    let name = name.split('+').next().filter(|plain| !plain.is_empty()).unwrap_or(name);
    Ok(if domain == "gmail.com" { format!("{}@{domain}", name.replace('.', "")) } else { format!("{name}@{domain}") })
}

/// Digits only, with the international prefix `00` read as `+` (E.164 has at most 15 digits).
pub fn normalise_phone(typed: &str) -> Result<String, ContactError> {
    let known = |symbol: char| symbol.is_ascii_digit() || matches!(symbol, '+' | ' ' | '-' | '.' | '/' | '(' | ')');
    if !typed.chars().all(known) {
        return Err(ContactError::Phone);
    }
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    if (7..=15).contains(&digits.len()) { Ok(format!("+{digits}")) } else { Err(ContactError::Phone) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_through_spellings() {
        for typed in ["Ann.Lee@gmail.com", "annlee+shop@googlemail.com", " a.n.n.l.e.e@GMAIL.com "] {
            assert_eq!(normalise_email(typed).unwrap(), "annlee@gmail.com");
        }
        assert_eq!(normalise_email("ann.lee+x@example.com").unwrap(), "ann.lee@example.com");
        assert_eq!(normalise_phone("0049 (30) 123-4567").unwrap(), normalise_phone("+49 30 1234567").unwrap());
    }

    #[test]
    fn refuses_what_is_no_contact() {
        for typed in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@localhost",
            "a b@example.com",
            "a@b@example.com",
            &format!("{}@example.com", "a".repeat(300)),
        ] {
            assert_eq!(normalise_email(typed), Err(ContactError::Email), "{typed}");
        }
        for typed in ["", "12345", "call me", "+1234567890123456", "٣٣٣٣٣٣٣٣"] {
            assert_eq!(normalise_phone(typed), Err(ContactError::Phone), "{typed}");
        }
    }
}
