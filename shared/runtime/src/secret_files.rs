//! Secrets from files, as `docker secret` and Kubernetes mount them.

use std::{ffi::OsString, fs, path::Path};

use clap::{Arg, Command, builder::Resettable};

/// What is appended to the name of a variable.
const SUFFIX: &str = "_FILE";

/// Gives every secret whose `NAME_FILE` is set the content of that file, in the command and its sub-commands. A secret is
/// an argument with a variable that `--help` does not show the value of.
///
/// The second value says what is wrong with the first file, or with a secret that is given twice. `variable` looks one up.
pub(crate) fn with_secret_files(
    command: Command,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> (Command, Option<String>) {
    let mut wrong = None;
    let mut filled = |argument: Arg| {
        from_file(argument.clone(), variable).unwrap_or_else(|reason| {
            wrong.get_or_insert(reason);
            argument
        })
    };
    let mut command = command.mut_args(&mut filled);
    for inner in command.get_subcommands_mut() {
        *inner = std::mem::take(inner).mut_args(&mut filled);
    }
    (command, wrong)
}

fn from_file(argument: Arg, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Arg, String> {
    if !argument.is_hide_env_values_set() {
        return Ok(argument);
    }
    // Clap was told to forget a variable that is set to nothing, and the flag has the same name.
    let Some(name) = name(&argument) else {
        return Ok(argument);
    };
    let with_suffix = format!("{name}{SUFFIX}");
    let Some(path) = variable(&with_suffix).filter(|path| !path.is_empty()) else {
        return Ok(argument);
    };
    if variable(&name).is_some_and(|value| !value.is_empty()) {
        return Err(format!(
            "{name} and {with_suffix} are both set: one of them is enough"
        ));
    }
    let secret = read(Path::new(&path)).map_err(|reason| format!("{with_suffix}: {reason}"))?;
    // As a default, which gives way to the flag. Clap keeps defaults for ever.
    let secret: &'static str = secret.leak();
    Ok(argument
        .env(Resettable::Reset)
        .required(false)
        .hide_default_value(true)
        .default_value(secret))
}

fn name(argument: &Arg) -> Option<String> {
    let flag = argument.get_long()?;
    Some(flag.to_uppercase().replace('-', "_"))
}

/// The content without the end of its line, which an editor adds.
fn read(path: &Path) -> Result<String, String> {
    let place = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {place}: {error}"))?;
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        return Err(format!("{place} is empty"));
    }
    Ok(secret.to_owned())
}

#[cfg(test)]
mod tests {
    use std::env::temp_dir;

    use anyhow::{Context, Result};

    use super::*;

    #[test]
    fn a_secret_stands_in_a_file_and_gives_way_to_its_flag() -> Result<()> {
        let file = temp_dir().join(format!("spillway-secret-{}", std::process::id()));
        fs::write(&file, "from the file\r\n")?;
        let path = file.clone().into_os_string();
        let (filled, wrong) = with_secret_files(command(), &|name| {
            (name == "SPILLWAY_TEST_SECRET_FILE").then(|| path.clone())
        });
        fs::remove_file(&file)?;
        assert_eq!(wrong, None);
        let secret = |arguments: &[&str]| -> Result<String> {
            let matches = filled.clone().try_get_matches_from(arguments)?;
            let matches = matches.subcommand().map_or(&matches, |(_, inner)| inner);
            let secret = matches.get_one::<String>("secret");
            secret.cloned().context("there is none")
        };
        assert_eq!(secret(&[])?, "from the file");
        assert_eq!(secret(&["once"])?, "from the file");
        let flag = "--spillway-test-secret=from the flag";
        assert_eq!(secret(&[flag])?, "from the flag");
        let help = filled.clone().render_long_help().to_string();
        assert!(!help.contains("from the file"), "{help}");
        Ok(())
    }

    #[test]
    fn what_is_no_secret_stands_in_no_file() {
        let nowhere = |name: &str| (name == "SPILLWAY_TEST_PLAIN_FILE").then(|| "/nowhere".into());
        let (_, wrong) = with_secret_files(command(), &nowhere);
        assert_eq!(wrong, None);
    }

    #[test]
    fn a_file_that_is_missing_or_empty_is_named_with_its_variable() {
        for (path, reason) in [
            ("/nowhere/secret", "cannot read /nowhere/secret: "),
            ("/dev/null", "/dev/null is empty"),
            ("/", "cannot read /: "),
        ] {
            let (_, wrong) = with_secret_files(command(), &|name| {
                (name == "SPILLWAY_TEST_SECRET_FILE").then(|| path.into())
            });
            let expected = format!("SPILLWAY_TEST_SECRET_FILE: {reason}");
            let is_named = wrong.as_ref().is_some_and(|it| it.starts_with(&expected));
            assert!(is_named, "{wrong:?}");
        }
    }

    #[test]
    fn a_secret_that_is_given_twice_is_refused() {
        let (_, wrong) = with_secret_files(command(), &|_| Some("/dev/null".into()));
        let expected = "SPILLWAY_TEST_SECRET and SPILLWAY_TEST_SECRET_FILE are both set: one of them is enough";
        assert_eq!(wrong.as_deref(), Some(expected));
    }

    fn command() -> Command {
        let secret = Arg::new("secret")
            .long("spillway-test-secret")
            .env("SPILLWAY_TEST_SECRET")
            .hide_env_values(true)
            .required(true);
        let plain = Arg::new("plain")
            .long("spillway-test-plain")
            .env("SPILLWAY_TEST_PLAIN");
        let once = Command::new("once").arg(secret.clone());
        Command::new("test")
            .no_binary_name(true)
            .arg(secret)
            .arg(plain)
            .subcommand(once)
            .subcommand_negates_reqs(true)
    }
}
