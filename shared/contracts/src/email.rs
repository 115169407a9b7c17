/// Most characters of an e-mail address, because mail servers take no more.
pub const MAX_EMAIL_LENGTH: usize = 254;

/// What an e-mail address looks like, as regular expressions for schemas, both of which hold: the
/// rule of [`check_email`] but for the domain `localhost` and those below it.
pub const EMAIL_PATTERNS: [&str; 2] = [
    r"^[^@]{1,64}@",
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$",
];

/// Most characters before the `@`.
const MAX_LOCAL_PART: usize = 64;
/// Most characters between two dots of a domain.
const MAX_LABEL: usize = 63;

/// Why no mail is sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum InvalidEmail {
    #[error("is longer than {MAX_EMAIL_LENGTH} characters")]
    TooLong,
    #[error("has no `@`")]
    NoAt,
    #[error(
        "the part before the `@` is not 1 to {MAX_LOCAL_PART} letters, digits, dots between them, and !#$%&'*+/=?^_`{{|}}~-"
    )]
    LocalPart,
    #[error("names a server by its IP address, not by a domain")]
    IpAddress,
    #[error("the domain is not made of letters, digits and hyphens between dots")]
    Domain,
    #[error("the domain has no dot, so it means a machine nearby")]
    NoDot,
    #[error("the domain is this machine")]
    Localhost,
}

/// Checks that mail can be sent to the address, and that it goes to a mail server on the internet: an
/// address that anybody may type in must not reach a machine of our own network.
///
/// Narrower than RFC 5321: no quoted local parts, no address literals (`[10.0.0.5]`), no domain
/// without a dot, nothing but ASCII. Whatever passes also has the form that messages demand.
///
/// # Errors
///
/// Says which part of the rule the address breaks.
pub fn check_email(address: &str) -> Result<(), InvalidEmail> {
    if address.len() > MAX_EMAIL_LENGTH {
        return Err(InvalidEmail::TooLong);
    }
    let (local_part, domain) = address.split_once('@').ok_or(InvalidEmail::NoAt)?;
    if local_part.len() > MAX_LOCAL_PART || !local_part.split('.').all(is_atom) {
        return Err(InvalidEmail::LocalPart);
    }
    check_domain(domain)
}

fn check_domain(domain: &str) -> Result<(), InvalidEmail> {
    if domain.starts_with('[') {
        return Err(InvalidEmail::IpAddress);
    }
    if !domain.split('.').all(is_label) {
        return Err(InvalidEmail::Domain);
    }
    let last = domain.rsplit('.').next().unwrap_or_default();
    if last.eq_ignore_ascii_case("localhost") {
        return Err(InvalidEmail::Localhost);
    }
    // `127.0.0.1`, and `127.1` or `127.0.0.0x1`, which many programs read as the same address.
    if last.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(InvalidEmail::IpAddress);
    }
    if last.len() == domain.len() {
        return Err(InvalidEmail::NoDot);
    }
    // There is no top-level domain of one letter.
    if last.len() < 2 {
        return Err(InvalidEmail::Domain);
    }
    Ok(())
}

/// What may stand between two dots before the `@`.
fn is_atom(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// What may stand between two dots of a domain.
fn is_label(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=MAX_LABEL).contains(&text.len())
        && text.bytes().all(fits)
        && !text.starts_with('-')
        && !text.ends_with('-')
}
