/// Where the pieces of one product are.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Level {
    /// On the shelf.
    pub available: i64,
    /// Set aside for orders that are not paid.
    pub reserved: i64,
    /// Gone to customers.
    pub sold: i64,
    /// Rises by one with every change that is published.
    pub version: i64,
}

impl Level {
    /// The level after a delivery of so many pieces.
    #[must_use]
    pub fn restocked(&self, quantity: i64) -> Self {
        Self {
            available: self.available + quantity,
            version: self.version + 1,
            ..self.clone()
        }
    }
}
