use anyhow::{Result, bail, ensure};

/// What AMQP answers to somebody who may not.
const ACCESS_REFUSED: u16 = 403;

/// Makes sure that RabbitMQ has refused this to its user.
///
/// # Errors
///
/// When it was allowed, or went wrong for another reason.
pub fn is_refused<T>(outcome: lapin::Result<T>) -> Result<()> {
    let Err(error) = outcome else {
        bail!("it is allowed");
    };
    let lapin::ErrorKind::ProtocolError(why) = error.kind() else {
        bail!("{error}");
    };
    ensure!(why.get_id() == ACCESS_REFUSED, "{why}");
    Ok(())
}
