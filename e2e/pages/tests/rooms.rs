//! The rooms of `messaging` keep their direction, and files are short.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use pages::claims::Page;
use pages::lengths::{File, read_files, too_long};
use pages::rooms::{Source, breaches, read_sources, rows};

const TABLE: &str = "\
# A crate

## Where is what

| room | what it promises |
|---|---|
| `bus` | wires the rooms |
| `rabbitmq`, `kafka` | speak to the brokers |
| `handler` | what an author writes |
| `base` | for everybody |

## Something else

| `no`, `room` | |
";

#[test]
fn the_rooms_of_messaging_import_from_below_only() -> Result<()> {
    let folder = root().join("shared/messaging");
    let rows = rows(&Page::read(&folder.join("README.md"))?)?;
    let sources = read_sources(&folder)?;
    ensure!(sources.len() > 20, "only {} files", sources.len());
    assert_eq!(breaches(&rows, &sources), [""; 0]);
    Ok(())
}

#[test]
fn no_file_of_the_shared_crates_and_the_services_is_too_long() -> Result<()> {
    assert_eq!(too_long(&read_files(&root())?), [""; 0]);
    Ok(())
}

#[test]
fn the_table_is_read_from_top_to_bottom() -> Result<()> {
    let rows = rows(&page(TABLE))?;
    let expected: [&[&str]; 4] = [&["bus"], &["rabbitmq", "kafka"], &["handler"], &["base"]];
    assert_eq!(rows, expected);
    Ok(())
}

#[test]
fn a_page_without_the_table_is_an_error_that_says_what_is_missing() {
    for text in [
        "# A crate",
        "## Where is what\nNothing.",
        "## Where is what\n| module | why |",
    ] {
        let error = rows(&page(text)).map_err(|error| error.to_string());
        assert!(
            error
                .as_ref()
                .is_err_and(|error| error.contains("Where is what")),
            "{text}: {error:?}"
        );
    }
}

#[test]
fn an_import_from_a_room_that_is_not_below_is_found() -> Result<()> {
    for (module, text) in [
        ("handler", "use crate::bus::Bus;"),
        (
            "handler",
            "pub(crate) use crate::{base::x, kafka::{self, y}};",
        ),
        ("kafka", "use crate::rabbitmq::codec;"),
        ("kafka/consumer", "fn f() { crate::rabbitmq::again(); }"),
        ("kafka/consumer", "use super::super::bus::Bus;"),
        ("kafka/consumer", "use super::{super::bus, codec};"),
        ("handler", "mod inner { use super::super::bus::Bus; }"),
        ("handler", "mod inner { } use super::bus::Bus;"),
        (
            "handler",
            "const A: char = '\"'; use crate::bus::Bus; const B: char = '\"';",
        ),
        ("handler", "fn f<'a>(a: &'a str) -> crate::bus::Bus<'a> {}"),
        ("base", "vec![crate::handler::x()]"),
    ] {
        let found = check(module, text)?;
        assert!(
            found.len() == 1 && found[0].contains("which is not below"),
            "{module}: {text}: {found:?}"
        );
    }
    Ok(())
}

#[test]
fn an_import_of_a_name_that_lib_has_for_others_is_found() -> Result<()> {
    for text in [
        "use crate::Handler;",
        "use crate::{base::x, Handler};",
        "fn f(handler: &crate::Handler) {}",
        "use super::super::Handler;",
        "use crate::*;",
        "use crate::publish;",
    ] {
        let found = check("kafka/consumer", text)?;
        assert!(
            found.len() == 1 && found[0].contains("from lib.rs"),
            "{text}: {found:?}"
        );
    }
    Ok(())
}

#[test]
fn what_is_below_or_in_the_same_room_may_be_imported() -> Result<()> {
    for (module, text) in [
        (
            "bus",
            "use crate::{base, handler::Handler, kafka::{x, y}, rabbitmq};",
        ),
        (
            "kafka/consumer",
            "use super::codec; use super::super::handler::Handler;",
        ),
        ("kafka/consumer", "use crate::kafka::codec::{self, x};"),
        (
            "kafka",
            "pub(crate) mod codec; pub(super) fn f() {} pub(in crate::kafka) fn g() {}",
        ),
        (
            "base",
            "// crate::bus::Bus\n/* crate::bus /* again */ crate::bus */ /// [`crate::bus`]",
        ),
        (
            "base",
            r##"const A: &str = "crate::bus"; const B: &str = r#"a " crate::bus"#;"##,
        ),
        (
            "base",
            "#[cfg(test)]\n#[expect(x)]\nmod tests { use crate::bus::Bus; }",
        ),
        ("base", "#[cfg(test)] use crate::bus::Bus; fn f() {}"),
        ("base", "crate::some_macro!(x);"),
        ("lib", "pub use bus::Bus; pub use crate::handler::Handler;"),
    ] {
        assert_eq!(check(module, text)?, [""; 0], "{module}: {text}");
    }
    Ok(())
}

#[test]
fn a_module_is_in_the_table_exactly_once() -> Result<()> {
    let found = check("cellar/stairs", "")?;
    assert_eq!(found, ["the module cellar is 0 times in the table"]);

    let twice = TABLE.replace("`handler`", "`handler`, `base`, `attic`");
    let found = breaches(&rows(&page(&twice))?, &sources("base", ""));
    assert_eq!(
        found,
        [
            "the module base is 2 times in the table",
            "the table has attic, which is no module"
        ]
    );
    Ok(())
}

#[test]
fn a_file_that_is_too_long_and_files_that_are_long_on_the_whole_are_found() -> Result<()> {
    let files = |lines: &[usize]| {
        let file = |lines: &usize| File {
            path: format!("src/{lines}.rs"),
            lines: *lines,
        };
        too_long(&lines.iter().map(file).collect::<Vec<_>>())
    };
    assert_eq!(files(&[10, 100, 250]), [""; 0]);
    let one = files(&[10, 20, 251]);
    ensure!(one.len() == 1 && one[0].contains("src/251.rs"), "{one:?}");
    let many = files(&[10, 101, 102]);
    let first = many.first().context("nothing")?;
    ensure!(first.contains("101 lines or more"), "{many:?}");
    Ok(())
}

/// What is found when this stands in a module of a crate with the rooms of the table.
fn check(module: &str, text: &str) -> Result<Vec<String>> {
    Ok(breaches(&rows(&page(TABLE))?, &sources(module, text)))
}

/// A crate with all rooms, in which one module has a text.
fn sources(module: &str, text: &str) -> Vec<Source> {
    let source = |module: &str, text: &str| Source {
        path: format!("{module}.rs"),
        module: match module {
            "lib" => Vec::new(),
            _ => module.split('/').map(str::to_owned).collect(),
        },
        text: text.to_owned(),
    };
    let rooms = ["bus", "rabbitmq", "kafka", "handler", "base"];
    let rooms = rooms.map(|room| source(room, ""));
    [&rooms[..], &[source(module, text)]].concat()
}

fn page(text: &str) -> Page {
    Page::parse(&root().join("README.md"), text)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
