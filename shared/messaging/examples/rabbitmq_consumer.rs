//! Prints what arrives in `hello`: `cargo run -p first-programs --example rabbitmq_consumer [COUNT]`

use std::{collections::BTreeMap, env, pin::pin, process::exit, time::Duration};

use anyhow::{Result, anyhow};
use futures::StreamExt;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind, options::*, uri::AMQPUri};
use tokio::{signal, time::timeout};

#[tokio::main]
async fn main() -> Result<()> {
    // Ends after COUNT messages, or on Ctrl-C.
    let count = env::args().nth(1).map_or(Ok(usize::MAX), |n| n.parse())?;
    let connection = connect().await?;
    let channel = channel_with_hello(&connection).await?;
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    let consumer = channel
        .basic_consume("hello".into(), "".into(), options, arguments)
        .await?;
    println!(" [*] Waiting for messages. To exit press CTRL+C");

    let mut deliveries = pin!(consumer.take_until(signal::ctrl_c()).take(count));
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery?;
        let body = String::from_utf8_lossy(&delivery.data);
        println!(" [x] Received '{body}'");
        // Only now may the broker forget it. Had we died before, another consumer would get it.
        delivery.ack(BasicAckOptions::default()).await?;
    }

    // What was delivered and not acknowledged goes back to the queue.
    connection.close(200, "done".into()).await?;
    println!(" [*] Stopped");
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
