//! Referral codes: what a user shares (rule 1).
//!
//! A generated code has ten random symbols of Crockford's base32 (50 bits) and a check symbol, so that a typing
//! error is mostly seen before it is looked up. Crockford: <https://www.crockford.com/base32.html>.

/// The 32 symbols of Crockford's base32.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Random symbols of a generated code.
const RANDOM_SYMBOLS: usize = 10;
/// Longest text that is looked at as a code, before folding.
pub const INPUT_MAX_LEN: usize = 64;
/// Longest folded code.
const KEY_MAX_LEN: usize = 32;

/// The folded form under which a code is stored and looked up: trimmed, upper case, O as 0, I and L as 1, no hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CodeKey(String);

impl CodeKey {
    /// Folds what somebody typed. Nothing when it cannot be a code at all: too long, empty or with foreign symbols.
    pub fn fold(typed: &str) -> Option<Self> {
        if typed.len() > INPUT_MAX_LEN {
            return None;
        }
        let folded: String =
            typed.trim().chars().filter(|symbol| *symbol != '-').map(fold_symbol).collect::<Option<_>>()?;
        (1..=KEY_MAX_LEN).contains(&folded.len()).then_some(Self(folded))
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn fold_symbol(symbol: char) -> Option<char> {
    match symbol.to_ascii_uppercase() {
        'O' => Some('0'),
        'I' | 'L' => Some('1'),
        folded if folded.is_ascii_alphanumeric() => Some(folded),
        _ => None,
    }
}

/// Makes a code from 50 of 64 random bits and adds the check symbol.
pub fn generate(random: u64) -> String {
    let digits = (0..RANDOM_SYMBOLS).map(|place| (random >> (place * 5) & 31) as usize);
    let code: String = digits.map(|digit| char::from(SYMBOLS[digit])).collect();
    let check = char::from(SYMBOLS[check_digit(&code)]);
    format!("{code}{check}")
}

/// The weighted sum of the symbols modulo 32; weights are odd, so every single wrong symbol changes it.
fn check_digit(symbols: &str) -> usize {
    let values = symbols.bytes().map(|byte| SYMBOLS.iter().position(|symbol| *symbol == byte).unwrap_or(0));
    values.enumerate().map(|(place, value)| value * (2 * place + 1)).sum::<usize>() % SYMBOLS.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folds_what_people_type() {
        let key = CodeKey::fold("  ol1i-ab ").unwrap();
        assert_eq!(key.as_str(), "0111AB");
        for bad in ["", "   ", "---", "ab cd", "ab\0", "é"] {
            assert_eq!(CodeKey::fold(bad), None, "{bad:?}");
        }
        assert_eq!(CodeKey::fold(&"A".repeat(33)), None);
        assert_eq!(CodeKey::fold(&"A".repeat(500)), None);
    }

    proptest! {
        #[test]
        fn a_generated_code_is_its_own_key(random: u64) {
            let code = generate(random);
            prop_assert_eq!(code.len(), 11);
            let key = CodeKey::fold(&code).unwrap();
            prop_assert_eq!(key.as_str(), code);
        }

        #[test]
        fn one_wrong_symbol_is_seen(random: u64, place in 0..10_usize, other in 0..32_usize) {
            let code = generate(random);
            let mut wrong = code.clone().into_bytes();
            prop_assume!(wrong[place] != SYMBOLS[other]);
            wrong[place] = SYMBOLS[other];
            let wrong = String::from_utf8(wrong).unwrap();
            let (symbols, check) = wrong.split_at(10);
            prop_assert_ne!(char::from(SYMBOLS[check_digit(symbols)]).to_string(), check);
        }
    }
}
