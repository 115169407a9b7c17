/// Most characters of a SKU.
pub const MAX_SKU_LENGTH: usize = 64;

/// What a SKU looks like, as a regular expression for schemas: the same rule as [`is_sku`].
pub const SKU_PATTERN: &str = "^[A-Z0-9-]{1,64}$";

/// Whether there can be a product of this name at all. Asked before a database is, which could not
/// even store some of the names that callers make up.
#[must_use]
pub fn is_sku(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_SKU_LENGTH).contains(&text.len()) && text.bytes().all(fits)
}
