//! What a ScaledObject says.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use autoscale::{Limits, Policy, ScaledObject, Select, Step, Subject};

use crate::support::{File, OURS, least, root};

#[test]
fn the_files_that_kubernetes_gets_are_obeyed_as_they_are() -> Result<()> {
    let objects = ScaledObject::read_all(&root().join(OURS))?;
    let services: Vec<_> = objects.iter().map(|one| one.service.as_str()).collect();
    assert_eq!(services, ["inventory", "notification"]);
    let [inventory, notification] = &objects[..] else {
        anyhow::bail!("{objects:?}");
    };
    assert_eq!(inventory.limits, Limits { least: 1, most: 4 });
    assert_eq!(inventory.polling, Duration::from_secs(5));
    assert_eq!(inventory.behavior.up.window, Duration::ZERO);
    assert_eq!(inventory.behavior.down.window, Duration::from_secs(120));
    let one_in_half_a_minute = Policy {
        step: Step::Pods,
        value: 1,
        period: Duration::from_secs(30),
    };
    assert_eq!(inventory.behavior.down.policies, [one_in_half_a_minute]);
    assert_eq!(inventory.behavior.down.select, Select::Max);
    let queue = Subject::Queue {
        vhost: "spillway".to_owned(),
        name: "inventory.stock-commands".to_owned(),
    };
    assert_eq!(inventory.triggers[0].subject, queue);
    assert_eq!(inventory.triggers[0].target, 1_000);
    let lag = &notification.triggers[0].subject;
    let is_lag = matches!(lag, Subject::Lag { group, topic }
        if group == "notification.order-events" && topic.name == "order-events");
    ensure!(
        is_lag && notification.triggers.len() == 4,
        "{notification:?}"
    );
    Ok(())
}

#[test]
fn what_the_file_leaves_out_is_as_kubernetes_and_keda_have_it() -> Result<()> {
    let file = File::new("defaults", &least())?;
    let objects = ScaledObject::read_files(&[file.path()])?;
    let object = objects.first().context("no object")?;
    assert_eq!(object.polling, Duration::from_secs(30));
    assert_eq!(
        object.limits,
        Limits {
            least: 1,
            most: 100
        }
    );
    assert_eq!(object.behavior.down.window, Duration::from_secs(300));
    assert_eq!(object.behavior.up.policies.len(), 2);
    assert_eq!(object.triggers[0].name, "inventory.stock-commands");
    Ok(())
}
