//! Services know nothing of each other, and the crates of `e2e` know only those below them.

#![expect(clippy::unwrap_used, reason = "a failed test may panic")]

use std::path::Path;

use pages::architecture::{Service, breaches, read_services};
use pages::directions::{Member, read_members, wrong_ways};

#[test]
fn no_service_knows_another() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let services = read_services(&workspace).unwrap();
    assert_eq!(breaches(&services), Vec::<String>::new());
}

#[test]
fn every_service_and_its_part_of_the_compose_file_are_looked_at() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for service in read_services(&workspace).unwrap() {
        let (name, text) = service.texts.first().unwrap();
        let own_database = format!("@postgres/{}", service.name);
        assert!(
            name == "docker-compose.yml" && text.contains(&own_database),
            "{}",
            service.name
        );
        assert!(
            service
                .texts
                .iter()
                .any(|(name, _)| name.ends_with("src/main.rs"))
        );
        assert!(service.dependencies.iter().any(|name| name == "messaging"));
    }
}

#[test]
fn a_dependency_on_another_service_is_found() {
    let found = check(&["messaging", "inventory"], "");
    assert_eq!(found, ["order depends on the service inventory"]);
}

#[test]
fn a_dependency_on_a_broker_client_is_found() {
    for client in ["lapin", "rdkafka", "rdkafka-sys", "amqprs"] {
        assert_eq!(check(&[client], "").len(), 1, "{client}");
    }
}

#[test]
fn the_address_of_another_service_is_found() {
    for text in [
        r#"reqwest::get("http://inventory/api/stock")"#,
        r#"let host = "inventory:8080";"#,
        "STOCK_URL: http://inventory:8080/api/stock",
        "INVENTORY: ${INVENTORY:-https://inventory}",
        r#"reqwest::get("http://gateway:8080/api/stock")"#,
    ] {
        assert_eq!(check(&[], text).len(), 1, "{text}");
    }
}

#[test]
fn the_name_of_another_service_in_the_compose_file_is_found() {
    for text in ["depends_on: [inventory]", "STOCK_HOST: inventory"] {
        let found = check_in("docker-compose.yml", &[], text);
        assert_eq!(found.len(), 1, "{text}");
    }
}

#[test]
fn what_services_have_in_common_in_the_compose_file_is_looked_at() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for service in read_services(&workspace).unwrap() {
        let (_, text) = service.texts.first().unwrap();
        assert!(text.contains("KAFKA_BROKERS"), "{}", service.name);
        assert!(!text.contains("HAPROXY_IMAGE"), "{}", service.name);
    }
}

#[test]
fn the_database_of_another_service_is_found() {
    for text in [
        "DATABASE_URL: postgres://order:demo-order@postgres/inventory",
        "DATABASE_URL: postgres://inventory:demo@postgres:5432/order",
        r#"connect("postgresql://localhost/inventory?sslmode=disable")"#,
        r#"connect("host=postgres dbname=inventory")"#,
    ] {
        assert_eq!(check(&[], text).len(), 1, "{text}");
    }
}

#[test]
fn talking_about_another_service_is_allowed() {
    for text in [
        "// What inventory answers: see https://example.org/inventory.",
        "let queue = \"inventory.stock-commands\"; use contracts::inventory::Stock;",
        "DATABASE_URL: postgres://order:demo-order@postgres/order",
        "// the inventory: it has stock",
    ] {
        assert_eq!(check(&[], text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn the_crates_of_e2e_know_only_those_below_them() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let members = read_members(&workspace).unwrap();
    assert_eq!(wrong_ways(&members), Vec::<String>::new());
}

#[test]
fn a_dependency_that_goes_the_wrong_way_is_found() {
    for (name, dependency, why) in [
        ("harness", "checker", "which is not below it"),
        ("checker", "attacks", "which is not below it"),
        ("bench", "checker", "which is not below it"),
        ("pages", "contracts", "which is not below it"),
        ("pages", "lapin", "needs no broker"),
        ("messaging", "harness", "which is for tests"),
        (
            "stranger",
            "anyhow",
            "nothing says what stranger may depend on",
        ),
    ] {
        let mut members = members();
        let member = members.iter_mut().find(|member| member.name == name);
        member.unwrap().dependencies = vec![dependency.to_owned()];
        let found = wrong_ways(&members);
        let is_found = found.iter().any(|found| found.ends_with(why));
        assert!(is_found, "{name} on {dependency}: {found:?}");
    }
}

#[test]
fn a_dependency_on_what_is_below_is_allowed() {
    for (name, dependency) in [
        ("harness", "contracts"),
        ("attacks", "harness"),
        ("e2e", "checker"),
        ("pages", "anyhow"),
    ] {
        let mut members = members();
        members.retain(|member| member.name != "stranger");
        let member = members.iter_mut().find(|member| member.name == name);
        member.unwrap().dependencies = vec![dependency.to_owned()];
        assert_eq!(wrong_ways(&members), Vec::<String>::new(), "{name}");
    }
}

/// The crates of a workspace, and one that nobody knows, without dependencies.
fn members() -> Vec<Member> {
    let member = |is_e2e: bool| {
        move |name: &&str| Member {
            name: (*name).to_owned(),
            is_e2e,
            dependencies: Vec::new(),
        }
    };
    let ours = [
        "pages", "harness", "checker", "attacks", "bench", "e2e", "stranger",
    ];
    let others = ["contracts", "messaging"];
    let ours = ours.iter().map(member(true));
    ours.chain(others.iter().map(member(false))).collect()
}

/// What is found in a service `order` with these dependencies and this text, beside `inventory`.
fn check(dependencies: &[&str], text: &str) -> Vec<String> {
    check_in("src/main.rs", dependencies, text)
}

fn check_in(file: &str, dependencies: &[&str], text: &str) -> Vec<String> {
    let order = Service {
        name: "order".to_owned(),
        dependencies: dependencies.iter().map(ToString::to_string).collect(),
        texts: vec![(file.to_owned(), text.to_owned())],
    };
    let inventory = Service {
        name: "inventory".to_owned(),
        ..Service::default()
    };
    breaches(&[order, inventory])
}
