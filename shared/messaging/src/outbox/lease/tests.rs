use super::*;

#[sqlx::test(migrations = false)]
async fn a_renewal_that_waits_too_long_for_others_keeps_its_connection(
    pool: PgPool,
) -> anyhow::Result<()> {
    crate::migrate::migrate(&pool).await?;
    let options = (*pool.connect_options()).clone();
    let impatient = PgPool::connect_lazy_with(options.options([("lock_timeout", "100ms")]));
    let leases = Leases::new(impatient, RENEWAL, Answers::default());
    let handover = Arc::new(Handover::new());
    let lease = Lease::new(
        Arc::clone(&leases),
        Transport::RabbitMq,
        Arc::clone(&handover),
    );

    let mut other = pool.begin().await?;
    sqlx::query("lock table messaging.leases")
        .execute(&mut *other)
        .await?;
    leases.renew(&lease.holder).await;
    assert_eq!(handover.held(), [0; 0]);
    assert!(leases.renewing.lock().await.connection.is_some());

    other.rollback().await?;
    leases.renew(&lease.holder).await;
    assert_eq!(handover.held(), [0, 1, 2, 3, 4, 5, 6, 7]);
    Ok(())
}
