//! Which addresses mail is sent to.
#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

use contracts::InvalidEmail::{Domain, IpAddress, LocalPart, Localhost, NoAt, NoDot, TooLong};
use contracts::{EMAIL_PATTERNS, InvalidEmail, MAX_EMAIL_LENGTH, check_email};
use garde::rules::email::parse_email;
use serde_json::{Value, json};

#[test]
fn addresses_of_the_internet_are_taken() {
    for address in good() {
        assert_eq!(check_email(&address), Ok(()), "{address}");
    }
}

#[test]
fn addresses_that_are_malformed_or_mean_a_machine_nearby_are_refused() {
    for (address, reason) in bad() {
        assert_eq!(check_email(&address), Err(reason), "{address:?}");
    }
}

/// A message with an address that was accepted must not be refused by those who read it.
#[test]
fn whatever_is_taken_has_the_form_that_messages_demand() {
    for address in good() {
        assert!(parse_email(&address).is_ok(), "{address}");
    }
}

#[test]
fn the_patterns_for_schemas_say_the_same() {
    let patterns: Vec<Value> = EMAIL_PATTERNS
        .map(|pattern| json!({ "pattern": pattern }))
        .into();
    let schema = json!({"maxLength": MAX_EMAIL_LENGTH, "allOf": patterns});
    let schema = jsonschema::validator_for(&schema).unwrap();
    for address in good() {
        assert!(schema.is_valid(&json!(address)), "{address}");
    }
    for (address, reason) in bad() {
        if reason != Localhost {
            assert!(!schema.is_valid(&json!(address)), "{address:?}");
        }
    }
}

fn good() -> Vec<String> {
    let longest_local_part = format!("{}@example.org", "x".repeat(64));
    let longest_label = format!("ada@{}.org", "x".repeat(63));
    let labels = "x.".repeat(90);
    let domain = format!("{labels}example.org");
    let longest = format!(
        "{}@{domain}",
        "x".repeat(MAX_EMAIL_LENGTH - 1 - domain.len())
    );
    assert_eq!(longest.len(), MAX_EMAIL_LENGTH);
    let plain = [
        "ada@example.org",
        "Ada.Lovelace+spillway@Example.ORG",
        "a@b.io",
        "o'neill@mail.example.co.uk",
        "!#$%&'*+/=?^_`{|}~-@example.org",
        "ada@xn--bcher-kva.example",
        "ada@1and1.com",
        "ada@127.0.0.1.example.org",
        "ada@localhost.example.org",
        "ada@a--b.org",
    ];
    let plain = plain.map(str::to_owned);
    [longest_local_part, longest_label, longest]
        .into_iter()
        .chain(plain)
        .collect()
}

fn bad() -> Vec<(String, InvalidEmail)> {
    let too_long = format!("{}@{}example.org", "x".repeat(63), "x.".repeat(90));
    let long_local_part = format!("{}@example.org", "x".repeat(65));
    let long_label = format!("ada@{}.org", "x".repeat(64));
    let plain = [
        // Machines nearby.
        ("a@[10.0.0.5]", IpAddress),
        ("a@[IPv6:::1]", IpAddress),
        ("a@[::1]", IpAddress),
        ("a@[tag:content]", IpAddress),
        ("a@127.0.0.1", IpAddress),
        ("a@127.1", IpAddress),
        ("a@2130706433", IpAddress),
        ("a@0x7f.1", IpAddress),
        ("a@127.0.0.0x1", IpAddress),
        ("a@0177.0.0.01", IpAddress),
        ("a@1", IpAddress),
        ("a@::1", Domain),
        ("ada@mail", NoDot),
        ("a@host-1", NoDot),
        ("a@localhost", Localhost),
        ("a@LOCALHOST", Localhost),
        ("a@mail.localhost", Localhost),
        ("a@localhost.", Domain),
        ("a@mail.", Domain),
        ("ada@example.org.", Domain),
        // Malformed domains.
        ("a@", Domain),
        ("a@.", Domain),
        ("a@.org", Domain),
        ("a@example..org", Domain),
        ("a@-example.org", Domain),
        ("a@example-.org", Domain),
        ("a@exam_ple.org", Domain),
        ("a@exam ple.org", Domain),
        ("a@example.org\n", Domain),
        ("a@example.org\0", Domain),
        ("a@example.org:25", Domain),
        ("a@example.org/x", Domain),
        ("a@b@example.org", Domain),
        ("a@example.o", Domain),
        ("a@bücher.example", Domain),
        ("a@例子.测试", Domain),
        ("a@127。0。0。1", Domain),
        // Malformed local parts.
        ("@example.org", LocalPart),
        (".ada@example.org", LocalPart),
        ("ada.@example.org", LocalPart),
        ("a..b@example.org", LocalPart),
        ("\"ada\"@example.org", LocalPart),
        ("\"a\r\nBcc: eve\"@example.org", LocalPart),
        ("\"a\0b\"@example.org", LocalPart),
        ("a b@example.org", LocalPart),
        ("a\n@example.org", LocalPart),
        ("ä@example.org", LocalPart),
        ("ada(comment)@example.org", LocalPart),
        ("Ada <ada@example.org>", LocalPart),
        ("ada@example.org, eve@example.org", Domain),
        ("ada", NoAt),
        ("", NoAt),
    ];
    let plain = plain.map(|(address, reason)| (address.to_owned(), reason));
    let long = [
        (too_long, TooLong),
        (long_local_part, LocalPart),
        (long_label, Domain),
    ];
    long.into_iter().chain(plain).collect()
}
