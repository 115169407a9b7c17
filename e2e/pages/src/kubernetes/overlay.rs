use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::{OVERLAYS, Object, read};

const FOLDER: &str = "deploy/kubernetes";
const KUSTOMIZATION: &str = "kustomization.yaml";
/// What nobody names, because everybody writes Secrets of his own.
const TEMPLATE: &str = "secrets.template.yaml";

/// What kustomize makes of a folder, without the hashes in the names of ConfigMaps.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    /// Everything that stands in a file, the template of the Secrets among it.
    pub objects: Vec<Object>,
    /// What the generated ConfigMaps hold, by their names.
    pub config_maps: BTreeMap<String, BTreeMap<String, String>>,
    files: BTreeSet<PathBuf>,
}

/// As much of kustomize as is used; anything else is refused, because nobody here would look at it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kustomization {
    api_version: String,
    kind: String,
    namespace: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    config_map_generator: Vec<Generator>,
    #[serde(default)]
    images: Vec<Image>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Generator {
    name: String,
    behavior: Option<String>,
    #[serde(default)]
    envs: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Image {
    name: String,
    new_name: String,
    new_tag: String,
}

impl Overlay {
    /// Reads one of [`OVERLAYS`], with all that it builds on.
    ///
    /// # Errors
    ///
    /// When a file that is named is not there, or says something that is not understood.
    pub fn read(workspace: &Path, name: &str) -> Result<Self> {
        let workspace = &workspace.canonicalize()?;
        let folder = workspace.join(FOLDER).join("overlays").join(name);
        let mut overlay = Self::default();
        overlay.add(workspace, &folder)?;
        let template = folder.join(TEMPLATE);
        if template.exists() {
            let secrets = Object::read_all(workspace, &template)?;
            overlay.objects.extend(secrets);
        }
        Ok(overlay)
    }

    /// The objects of a kind.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Object> {
        self.objects
            .iter()
            .filter(move |object| object.kind() == kind)
    }

    /// The object of this kind and name.
    pub(super) fn find(&self, kind: &str, name: &str) -> Option<&Object> {
        self.of_kind(kind).find(|object| object.name() == name)
    }

    fn add(&mut self, workspace: &Path, folder: &Path) -> Result<()> {
        let file = folder.join(KUSTOMIZATION);
        let known: Kustomization =
            serde_norway::from_str(&read(&file)?).with_context(|| file.display().to_string())?;
        let is_known = known.api_version == "kustomize.config.k8s.io/v1beta1"
            && known.kind == "Kustomization"
            && known
                .namespace
                .as_deref()
                .is_none_or(|name| name == "spillway");
        ensure!(is_known, "{} is of another sort", file.display());
        for resource in &known.resources {
            let path = self.named(folder, resource)?;
            if path.is_dir() {
                self.add(workspace, &path)?;
            } else {
                self.objects.extend(Object::read_all(workspace, &path)?);
            }
        }
        for generator in &known.config_map_generator {
            self.generate(folder, generator)?;
        }
        for image in &known.images {
            let is_used = self.replace(image);
            ensure!(is_used, "{}: no image {}", file.display(), image.name);
        }
        self.files.insert(file);
        Ok(())
    }

    fn generate(&mut self, folder: &Path, generator: &Generator) -> Result<()> {
        let name = &generator.name;
        let is_merge = generator.behavior.as_deref() == Some("merge");
        let is_there = self.config_maps.contains_key(name);
        let shown = folder.display();
        ensure!(
            is_merge == is_there,
            "{shown}: {name} is made twice or never"
        );
        let mut made = BTreeMap::new();
        for file in &generator.envs {
            let text = read(&self.named(folder, file)?)?;
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let pairs = lines.filter_map(|line| line.split_once('='));
            made.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        for file in &generator.files {
            made.insert(file.clone(), read(&self.named(folder, file)?)?);
        }
        self.config_maps
            .entry(name.clone())
            .or_default()
            .extend(made);
        Ok(())
    }

    /// The path of a file that is named, which has to be there.
    fn named(&mut self, folder: &Path, name: &str) -> Result<PathBuf> {
        let path = folder.join(name);
        let path = path
            .canonicalize()
            .with_context(|| path.display().to_string())?;
        self.files.insert(path.clone());
        Ok(path)
    }

    /// Puts another image in the place of one, and says whether there was one.
    fn replace(&mut self, image: &Image) -> bool {
        let mut is_used = false;
        for object in &mut self.objects {
            let containers = object.value.pointer_mut("/spec/template/spec/containers");
            let containers = containers.and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                let present = container["image"].as_str().unwrap_or_default();
                if present.split(':').next() == Some(image.name.as_str()) {
                    container["image"] = format!("{}:{}", image.new_name, image.new_tag).into();
                    is_used = true;
                }
            }
        }
        is_used
    }
}

/// Files beside the others that no overlay uses.
///
/// # Errors
///
/// When a folder or an overlay cannot be read.
pub fn files_that_nobody_names(workspace: &Path) -> Result<Vec<String>> {
    let workspace = &workspace.canonicalize()?;
    let mut named = BTreeSet::new();
    for name in OVERLAYS {
        named.extend(Overlay::read(workspace, name)?.files);
    }
    let mut there = BTreeSet::new();
    for part in ["base", "overlays"] {
        collect(&workspace.join(FOLDER).join(part), &mut there)?;
    }
    let is_template = |path: &&PathBuf| path.ends_with(TEMPLATE);
    let nobodys = there.difference(&named).filter(|path| !is_template(path));
    Ok(nobodys.map(|path| path.display().to_string()).collect())
}

fn collect(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.insert(path);
        }
    }
    Ok(())
}
