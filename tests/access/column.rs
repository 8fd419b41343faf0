//! The columns of the matrix: who asks, and about whom.

/// Who asks, and about whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Without a credential.
    Anonymous,
    /// A member about themselves.
    Themselves,
    /// A member about somebody in the chain above.
    Above,
    /// A member about somebody in their network.
    Below,
    /// A member about somebody who is neither.
    Stranger,
    /// The host's back end.
    Server,
    /// An operator.
    Admin,
}

impl Column {
    /// Every column, in the order of the tables.
    pub const ALL: [Self; 7] =
        [Self::Anonymous, Self::Themselves, Self::Above, Self::Below, Self::Stranger, Self::Server, Self::Admin];

    /// What stands at its head.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Themselves => "self",
            Self::Above => "above",
            Self::Below => "below",
            Self::Stranger => "stranger",
            Self::Server => "server",
            Self::Admin => "admin",
        }
    }

    /// The column with this head.
    pub fn headed(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.heading() == text)
    }

    /// Who is asked about, unless a way names somebody else.
    pub const fn usual_person(self) -> &'static str {
        match self {
            Self::Anonymous | Self::Themselves | Self::Server | Self::Admin => "ben",
            Self::Above => "ann",
            Self::Below => "cleo",
            Self::Stranger => "dan",
        }
    }
}
