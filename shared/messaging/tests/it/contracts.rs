use contracts::{DecodeError, Inbound, Message, ReserveStock, StockCommand};

#[test]
fn another_version_of_a_known_type_is_told_from_an_unknown_type() {
    let of = |message_type: &str| StockCommand::decode(message_type, b"{}").err();
    assert!(matches!(
        of("spillway.release-stock.v2"),
        Some(DecodeError::UnsupportedVersion(got, "spillway.release-stock.v1"))
            if got == "spillway.release-stock.v2"
    ));
    for unknown in [
        "spillway.paint-stock.v1",
        "spillway.release-stock",
        "spillway.release-stock.v",
        "spillway.release-stock.video",
        "spillway.release-stock.v1.5",
        "",
        ".v1",
    ] {
        assert!(matches!(of(unknown), Some(DecodeError::UnknownType(got)) if got == unknown));
    }
}

#[test]
fn a_body_is_checked_only_for_a_type_that_is_known() {
    let malformed = StockCommand::decode(ReserveStock::TYPE, b"{}");
    assert!(matches!(
        malformed,
        Err(DecodeError::Malformed(ReserveStock::TYPE, _))
    ));
    let null = StockCommand::decode(ReserveStock::TYPE, b"null");
    assert!(matches!(null, Err(DecodeError::Malformed(..))));
}
