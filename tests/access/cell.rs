//! What one cell of the matrix says, and how an answer is read as one.

use std::fmt;

use serde_json::Value;

/// What a request gives for one field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// An error with this code, or a refusal (`userErrors`) with it.
    Refused(String),
    /// The way ends before: there is no object that would have the field.
    Nothing,
    /// Null, without an error.
    Null,
    /// An empty list or text.
    Empty,
    /// Initials and stars.
    Masked,
    /// Something.
    Data,
}

impl Cell {
    /// Reads what stands in a table.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::Nothing),
            "null" => Some(Self::Null),
            "empty" => Some(Self::Empty),
            "masked" => Some(Self::Masked),
            "data" => Some(Self::Data),
            code if !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') => {
                Some(Self::Refused(code.to_owned()))
            }
            _ => None,
        }
    }

    /// Reads a value; of several, the one that tells most counts.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::String(text) if text.is_empty() => Self::Empty,
            Value::String(text) if text.ends_with("***") => Self::Masked,
            Value::Array(items) => items.iter().map(Self::of).max().unwrap_or(Self::Empty),
            // A page is as full as its list.
            Value::Object(fields) if fields.len() == 1 => fields.get("nodes").map_or(Self::Data, Self::of),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Self::Data,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(code) => code,
            Self::Nothing => "none",
            Self::Null => "null",
            Self::Empty => "empty",
            Self::Masked => "masked",
            Self::Data => "data",
        })
    }
}
