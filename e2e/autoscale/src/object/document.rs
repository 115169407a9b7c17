//! A ScaledObject as it is written. A field that stands here with an underscore changes nothing on Compose; one that
//! is missing here is an error, because it would change something.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::behavior::{Select, Step};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    pub(super) api_version: String,
    pub(super) kind: String,
    #[serde(rename = "metadata")]
    _metadata: IgnoredAny,
    pub(super) spec: Spec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Spec {
    pub(super) scale_target_ref: Target,
    pub(super) polling_interval: Option<u64>,
    /// Before the last instance goes, which never happens here.
    #[serde(rename = "cooldownPeriod")]
    _cooldown_period: Option<u64>,
    pub(super) min_replica_count: Option<u32>,
    pub(super) max_replica_count: Option<u32>,
    pub(super) advanced: Option<Advanced>,
    pub(super) triggers: Vec<RawTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Target {
    pub(super) name: String,
    #[serde(rename = "apiVersion")]
    _api_version: Option<String>,
    #[serde(rename = "kind")]
    _kind: Option<String>,
    #[serde(rename = "envSourceContainerName")]
    _container: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Advanced {
    pub(super) horizontal_pod_autoscaler_config: Option<Config>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Config {
    #[serde(rename = "name")]
    _name: Option<String>,
    pub(super) behavior: Option<RawBehavior>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawBehavior {
    pub(super) scale_up: Option<RawDirection>,
    pub(super) scale_down: Option<RawDirection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawDirection {
    pub(super) stabilization_window_seconds: Option<u64>,
    pub(super) policies: Option<Vec<RawPolicy>>,
    pub(super) select_policy: Option<Select>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawPolicy {
    #[serde(rename = "type")]
    pub(super) step: Step,
    pub(super) value: u32,
    pub(super) period_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawTrigger {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) metric_type: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    /// On Compose, brokers are asked as `./dev` asks them.
    #[serde(rename = "authenticationRef")]
    _authentication: Option<IgnoredAny>,
}
