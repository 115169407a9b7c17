//! Sends "Hello World!" to the queue `hello`: `cargo run -p first-programs --example rabbitmq_producer`

use std::{collections::BTreeMap, env, process::exit, time::Duration};

use anyhow::{Result, anyhow, ensure};
use lapin::types::AMQPValue;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ErrorKind};
use lapin::{Confirmation, options::*, uri::AMQPUri};
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<()> {
    let connection = connect().await?;
    let channel = channel_with_hello(&connection).await?;

    // Without confirms "sent" would only mean "written to a socket". With them the broker answers.
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    // The exchange without a name passes a message to the queue that is named like its routing key.
    let (exchange, routing_key) = ("".into(), "hello".into());
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let confirm = channel
        .basic_publish(exchange, routing_key, options, b"Hello World!", properties)
        .await?;
    ensure!(
        matches!(confirm.await?, Confirmation::Ack(_)),
        "RabbitMQ refused the message"
    );
    println!(" [x] Sent 'Hello World!'");

    connection.close(200, "done".into()).await?;
    Ok(())
}

async fn connect() -> Result<Connection> {
    let url = env::var("AMQP_URL").unwrap_or_else(|_| "amqp://guest:guest@localhost:5672/".into());
    let mut uri: AMQPUri = url.parse().map_err(|e| anyhow!("AMQP_URL: {e}"))?;
    // Most libraries take the last slash for the virtual host `/`, lapin for one without a name.
    if uri.vhost.is_empty() {
        uri.vhost = "/".into();
    }
    // Something that accepts the connection and then says nothing must not hold us for ever.
    let address = format!("{}:{}", uri.authority.host, uri.authority.port);
    let opening = Connection::connect_uri(uri, ConnectionProperties::default());
    let error = match timeout(Duration::from_secs(5), opening).await {
        Ok(Ok(connection)) => return Ok(connection),
        Ok(Err(error)) => format!("{address}: {error}"),
        Err(_) => format!("{address}: no answer within 5 s"),
    };
    // One line, rather than a backtrace: nothing is wrong with the program.
    eprintln!("No RabbitMQ at {error}. Start it: `./dev up` or `docker compose up -d rabbitmq`");
    exit(1)
}

/// Producer and consumer both declare the queue, because either may be started first.
async fn channel_with_hello(connection: &Connection) -> Result<Channel> {
    let channel = connection.create_channel().await?;
    // Durable and of type quorum, as the tutorial has it for RabbitMQ 4, and as 3.13 knows it too. A
    // transient queue, as older programs declare it, is refused by some versions.
    let quorum = AMQPValue::LongString("quorum".into());
    let arguments = BTreeMap::from([("x-queue-type".into(), quorum)]).into();
    let options = QueueDeclareOptions::durable();
    let declared = channel.queue_declare("hello".into(), options, arguments);
    match declared.await {
        // PRECONDITION_FAILED: another program made it differently. It is there, which is all we
        // need, but the refusal has closed the channel.
        Err(error) if matches!(error.kind(), ErrorKind::ProtocolError(e) if e.get_id() == 406) => {
            Ok(connection.create_channel().await?)
        }
        declared => Ok(declared.map(|_| channel)?),
    }
}
