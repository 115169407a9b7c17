use std::fmt::{self, Display};

/// A view of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those in the page's address")]
pub enum View {
    Flow,
    Peak,
    Orders,
    Letters,
    Stock,
    Break,
    Scaling,
}

impl View {
    /// In the order of the navigation.
    pub const ALL: [Self; 7] = [
        Self::Flow,
        Self::Peak,
        Self::Orders,
        Self::Letters,
        Self::Stock,
        Self::Break,
        Self::Scaling,
    ];

    /// What is on this view and on no other, and only once the server has said something: one of these, for a
    /// narrow view may have another.
    #[must_use]
    pub const fn landmarks(self) -> &'static [&'static str] {
        match self {
            Self::Flow => &["queue-inventory.stock-commands", "flow-table"],
            Self::Peak => &["flash-start"],
            Self::Orders => &["orders-search-id"],
            Self::Letters => &["letters-search"],
            Self::Stock => &["stock-row-KAYAK-SOLO"],
            Self::Break => &["control-inventory-pause"],
            Self::Scaling => &["scaling-inventory"],
        }
    }
}

/// As in the page's address.
impl Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flow => "flow",
            Self::Peak => "peak",
            Self::Orders => "orders",
            Self::Letters => "letters",
            Self::Stock => "stock",
            Self::Break => "break",
            Self::Scaling => "scaling",
        })
    }
}
