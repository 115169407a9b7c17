use sqlx::PgPool;

use super::*;

fn no_answer() -> Doubt {
    Doubt {
        id: Uuid::now_v7(),
        reason: "no answer".to_owned(),
    }
}

#[sqlx::test(migrations = false)]
async fn a_claim_can_be_given_up_and_a_doubt_can_not(pool: PgPool) -> anyhow::Result<()> {
    crate::migrate::migrate(&pool).await?;
    let mut db = pool.acquire().await?;
    let (one, other) = (Pulse::new(), Pulse::new());
    let key = ("send", Uuid::now_v7());
    assert_eq!(claim(&mut db, &one, key, None).await?, Verdict::Granted);
    assert_eq!(claim(&mut db, &other, key, None).await?, Verdict::Held);
    release(&mut db, &one, key).await?;
    assert_eq!(claim(&mut db, &other, key, None).await?, Verdict::Granted);
    let noted = no_answer();
    doubt(&mut db, &other, key, &noted).await?;
    release(&mut db, &other, key).await?;
    let found = claim(&mut db, &one, key, None).await?;
    assert_eq!(found, Verdict::Doubtful(noted));
    Ok(())
}

#[sqlx::test(migrations = false)]
async fn a_doubt_is_lifted_once_by_its_name_and_by_nothing_else(
    pool: PgPool,
) -> anyhow::Result<()> {
    crate::migrate::migrate(&pool).await?;
    let mut db = pool.acquire().await?;
    let pulse = Pulse::new();
    let key = ("send", Uuid::now_v7());
    assert_eq!(claim(&mut db, &pulse, key, None).await?, Verdict::Granted);
    let (first, second) = (no_answer(), no_answer());
    doubt(&mut db, &pulse, key, &first).await?;
    for names in [None, Some(second.id)] {
        match claim(&mut db, &pulse, key, names).await? {
            Verdict::Doubtful(standing) => assert_eq!(standing, first),
            other => anyhow::bail!("{other:?} of {names:?}"),
        }
    }
    let lifted = claim(&mut db, &pulse, key, Some(first.id)).await?;
    assert_eq!(lifted, Verdict::Granted);
    doubt(&mut db, &pulse, key, &second).await?;
    let copy = claim(&mut db, &pulse, key, Some(first.id)).await?;
    assert_eq!(copy, Verdict::Doubtful(second));
    Ok(())
}
