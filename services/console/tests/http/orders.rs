//! Looking for orders.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use console::store;
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::{
    Answer, Service,
    samples::{EMAIL, order},
};

#[sqlx::test]
async fn pages_show_every_order_once_newest_first_also_those_of_one_moment(
    pool: PgPool,
) -> Result<()> {
    let service = Service::start(pool);
    let first = order();
    let orders: Vec<_> = (0..7)
        .map(|_| store::Order {
            id: Uuid::now_v7(),
            ..first.clone()
        })
        .collect();
    save(&service, &orders).await?;
    let mut expected: Vec<_> = orders.iter().map(|order| order.id.to_string()).collect();
    expected.reverse();
    for limit in [1, 3, 7, 100] {
        let mut seen = Vec::new();
        let mut before = String::new();
        loop {
            let page = list(&service, &format!("limit={limit}{before}")).await?;
            seen.extend(ids(&page)?);
            // Whoever turns pages is not disturbed by what comes meanwhile.
            let Some(next) = page.body["next"].as_str() else {
                break;
            };
            before = format!("&before={next}");
        }
        assert_eq!(seen, expected, "{limit}");
    }
    Ok(())
}

#[sqlx::test]
async fn orders_are_found_by_each_filter_and_by_all_at_once(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    let paid = store::Order {
        status: "paid".to_owned(),
        ..order()
    };
    let of_bo = store::Order {
        email: "bo@example.org".to_owned(),
        ..order()
    };
    let (ada, (paid_id, bo_id)) = (order(), (paid.id, of_bo.id));
    let at = ada.placed_at.context("placed")?;
    save(&service, &[paid, of_bo, ada.clone()]).await?;
    let later = at + jiff::SignedDuration::from_secs(1);
    for (query, expected) in [
        (String::new(), vec![ada.id, bo_id, paid_id]),
        (format!("id={}", ada.id), vec![ada.id]),
        ("status=paid".to_owned(), vec![paid_id]),
        ("status=cancelled".to_owned(), vec![]),
        ("email=bo".to_owned(), vec![bo_id]),
        ("email=".to_owned(), vec![ada.id, bo_id, paid_id]),
        (format!("email={EMAIL}"), vec![ada.id, paid_id]),
        ("email=%25".to_owned(), vec![]),
        (format!("since={later}"), vec![]),
        (format!("until={later}"), vec![ada.id, bo_id, paid_id]),
        (
            format!("email={EMAIL}&status=pending&until={later}&id={}", ada.id),
            vec![ada.id],
        ),
        (format!("status=paid&before={paid_id}"), vec![]),
    ] {
        let page = list(&service, &query).await?;
        let expected: Vec<_> = expected.iter().map(Uuid::to_string).collect();
        assert_eq!(ids(&page)?, expected, "{query}");
    }
    Ok(())
}

#[sqlx::test]
async fn a_filter_that_is_malformed_is_refused_by_its_name(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    for (field, values) in [
        ("status", ["lost", "", "Paid"]),
        ("id", ["7", "", "00000000"]),
        ("since", ["yesterday", "2026-11-27", "12"]),
        ("until", ["yesterday", "", "2026-13-01T00:00:00Z"]),
        ("limit", ["many", "1.5", "99999999999999999999"]),
        ("before", ["7", "", "%00"]),
        ("email", ["a%00b", "%00", "ada@example.org%00"]),
    ] {
        for value in values {
            let answer = service
                .get(&format!("/api/console/orders?{field}={value}"))
                .await?;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field}={value}");
            assert_eq!(answer.fields(), [field], "{field}={value}");
        }
    }
    for limit in ["0", "-1", "101"] {
        let answer = service
            .get(&format!("/api/console/orders?limit={limit}"))
            .await?;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{limit}");
        assert_eq!(answer.fields(), ["limit"]);
    }
    Ok(())
}

#[sqlx::test]
async fn a_time_that_no_database_can_store_is_a_time(pool: PgPool) -> Result<()> {
    let service = Service::start(pool);
    save(&service, &[order()]).await?;
    let (first, last) = ("-009999-01-02T12:00:00Z", "9999-12-30T12:00:00Z");
    for (query, count) in [
        (format!("since={first}"), 1),
        (format!("since={last}"), 0),
        (format!("until={first}"), 0),
        (format!("until={last}"), 1),
    ] {
        assert_eq!(ids(&list(&service, &query).await?)?.len(), count, "{query}");
    }
    Ok(())
}

async fn save(service: &Service, orders: &[store::Order]) -> Result<()> {
    Ok(store::save_orders(&mut *service.pool.acquire().await?, orders).await?)
}

async fn list(service: &Service, query: &str) -> Result<Answer> {
    let answer = service.get(&format!("/api/console/orders?{query}")).await?;
    anyhow::ensure!(answer.status == StatusCode::OK, "{query}: {}", answer.body);
    Ok(answer)
}

fn ids(page: &Answer) -> Result<Vec<String>> {
    let orders = page.body["orders"].as_array().context("no list")?;
    let ids = orders
        .iter()
        .map(|order| Some(order["id"].as_str()?.to_owned()));
    ids.collect::<Option<_>>().context("no id")
}
