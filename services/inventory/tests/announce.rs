//! Every product is announced once.

use anyhow::Result;
use inventory::store;
use sqlx::PgPool;

#[sqlx::test]
async fn products_are_announced_once_however_many_instances_start(pool: PgPool) -> Result<()> {
    let instances = (0..4).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move {
            let mut tx = pool.begin().await?;
            let announced = store::take_unannounced(&mut tx).await?.len();
            tx.commit().await?;
            anyhow::Ok(announced)
        })
    });
    let mut announced = Vec::new();
    for instance in instances.collect::<Vec<_>>() {
        announced.push(instance.await??);
    }
    announced.sort_unstable();
    assert_eq!(announced, [0, 0, 0, 12]);
    Ok(())
}

#[sqlx::test]
async fn an_announcement_that_is_rolled_back_is_made_again(pool: PgPool) -> Result<()> {
    let mut tx = pool.begin().await?;
    assert_eq!(store::take_unannounced(&mut tx).await?.len(), 12);
    tx.rollback().await?;
    assert_eq!(
        store::take_unannounced(&mut *pool.acquire().await?)
            .await?
            .len(),
        12
    );
    Ok(())
}
