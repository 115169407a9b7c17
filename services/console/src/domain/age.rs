/// How long the oldest message of a queue has been waiting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Age {
    /// In seconds.
    pub seconds: f64,
    /// It arrived before anybody looked, so it is older than this.
    pub at_least: bool,
}
