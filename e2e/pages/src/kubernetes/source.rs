use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jsonschema::Validator;

use super::routes::Paths;
use super::scaling::Scaler;
use super::settings::{Setting, settings};
use super::{read, routes, schemas};

/// What the services, the gateway and the schemas of others say.
#[derive(Debug)]
pub struct Source {
    /// The folders of `services`.
    pub services: BTreeSet<String>,
    /// The variables that each service and the load generator read.
    pub settings: BTreeMap<String, Vec<Setting>>,
    /// The routes that every process has.
    pub(super) health: BTreeSet<String>,
    /// The number of the user as whom an image runs.
    pub(super) user: u64,
    /// The queues and topics that each service reads.
    pub(super) reads: BTreeMap<String, BTreeSet<String>>,
    /// The number of partitions of every topic.
    pub(super) partitions: u64,
    /// What the gateway of Compose hands to each service.
    pub(super) paths: Paths,
    pub(super) schemas: BTreeMap<String, Validator>,
    pub(super) scalers: Vec<Scaler>,
}

impl Source {
    /// Reads the workspace at this path.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or is not where it was.
    pub fn read(workspace: &Path) -> Result<Self> {
        let mut services = BTreeSet::new();
        for entry in fs::read_dir(workspace.join("services"))? {
            services.insert(entry?.file_name().to_string_lossy().into_owned());
        }
        let topology = read(&workspace.join("shared/contracts/src/topology.rs"))?;
        let names = constants(&topology);
        let (mut of_each, mut reads) = (BTreeMap::new(), BTreeMap::new());
        for service in &services {
            let main = workspace.join("services").join(service).join("src/main.rs");
            reads.insert(service.clone(), consumed(&read(&main)?, &names));
            of_each.insert(service.clone(), settings(workspace, service)?);
        }
        of_each.insert("load".to_owned(), settings(workspace, "load")?);
        let app = read(&workspace.join("shared/runtime/src/http/app.rs"))?;
        let dockerfile = read(&workspace.join("deploy/Dockerfile"))?;
        let user = between(&dockerfile, "\nUSER ", ":").context("the image has no user")?;
        let partitions = between(&topology, "let partitions = ", ";");
        let group = read(&workspace.join("shared/messaging/src/consume/consuming.rs"))?;
        ensure!(
            group.contains(r#"format!("{service}.{topic}")"#),
            "consumer groups have other names"
        );
        let folder = workspace.join("deploy/kubernetes/schemas");
        Ok(Self {
            services,
            settings: of_each,
            health: app
                .split(".route(\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .map(str::to_owned)
                .collect(),
            user: user.parse()?,
            reads,
            partitions: partitions.context("topics have no partitions")?.parse()?,
            paths: routes::of_gateway(&read(&workspace.join("deploy/gateway/haproxy.cfg"))?),
            schemas: schemas::read_all(&folder)?,
            scalers: serde_json::from_str(&read(&folder.join("keda-scalers.json"))?)?,
        })
    }
}

/// The names of queues and topics, by those of their constants.
fn constants(topology: &str) -> BTreeMap<&str, &str> {
    let constants = topology.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("pub const ")?.split_once(": ")?;
        Some((name, rest.split('"').nth(1)?))
    });
    constants.collect()
}

/// The queues and topics of which the wiring of a service says that it reads them.
fn consumed(main: &str, names: &BTreeMap<&str, &str>) -> BTreeSet<String> {
    let calls = [".queue(", ".topic("];
    let behind = calls.iter().flat_map(|call| main.split(call).skip(1));
    let constants = behind.filter_map(|rest| rest.split(')').next());
    let found = constants.filter_map(|name| names.get(name));
    found.map(|name| (*name).to_owned()).collect()
}

fn between<'a>(text: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(behind).map(|(found, _)| found)
}
