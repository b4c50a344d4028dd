//! Which files are read, in which order, and what their mistakes look like to a user.

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use condotta_config::{Config, ConfigError, Places, Syntax, Value};

struct Folder {
    root: tempfile::TempDir,
    variables: HashMap<String, String>,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        for folder in ["etc", "here"] {
            fs::create_dir(root.path().join(folder)).expect("made");
        }
        for (name, text) in files {
            fs::write(root.path().join(name), text).expect("written");
        }
        Self {
            root,
            variables: HashMap::new(),
        }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn path(&self) -> &Path {
        self.root.path()
    }

    fn load(&self) -> Result<Config, ConfigError> {
        let variables = self.variables.clone();
        let places = Places {
            system: self.path().join("etc"),
            current: self.path().join("here"),
            environment: Arc::new(move |name| variables.get(name).cloned()),
        };
        places.load()
    }

    fn error(&self) -> String {
        let folder = self.path().display().to_string();
        let error = self.load().expect_err("must fail").to_string();
        error.replace(&folder, "")
    }
}

#[test]
fn later_files_win_and_say_where_a_value_is_from() {
    let folder = Folder::new(&[
        (
            "etc/client.cfg",
            "[a]\nv1 = 1\nv2 = 1\nv3 = 1\nv4 = 1\nv5 = 1\n",
        ),
        ("etc/luigi.cfg", "[a]\nv2 = 2\nv3 = 2\nv4 = 2\nv5 = 2\n"),
        ("here/client.cfg", "[a]\nv3 = 3\nv4 = 3\nv5 = 3\n"),
        ("here/luigi.cfg", "[a]\nv4 = 4\nv5 = 4\n"),
        ("here/extra", "\n[a]\nv5 = 5\n"),
        ("here/luigi.toml", "[a]\nv5 = 6\n"),
    ])
    .variable("LUIGI_CONFIG_PATH", "extra");
    let config = folder.load().expect("loads");
    for number in 1..=5 {
        let value = config
            .get_int("a", &format!("v{number}"))
            .expect("a number");
        assert_eq!(value, Some(number));
    }
    let entry = config.get("a", "v5").expect("reads").expect("is there");
    let file = folder.path().join("here/extra");
    assert_eq!(entry.origin.to_string(), format!("{}:3", file.display()));
}

#[test]
fn no_file_is_an_empty_configuration() {
    let config = Folder::new(&[]).load().expect("loads");
    assert_eq!(config.get("core", "workers").expect("reads"), None);
    assert_eq!(config.section_names().count(), 0);
}

#[test]
fn toml_is_read_when_the_environment_says_so() {
    for variable in ["LUIGI_CONFIG_PARSER", "CONDOTTA_CONFIG_PARSER"] {
        let folder = Folder::new(&[
            ("etc/luigi.toml", "[a]\nx = 1\ny = 1\n"),
            ("here/luigi.toml", "[a]\ny = 2\n"),
            ("here/luigi.cfg", "[a]\ny = 3\n"),
        ])
        .variable(variable, "toml");
        let config = folder.load().expect("loads");
        assert_eq!(config.syntax(), Syntax::Toml);
        let values = ["x", "y"].map(|key| config.get_int("a", key).expect("a number"));
        assert_eq!(values, [Some(1), Some(2)]);
    }
}

#[test]
fn what_luigi_only_warns_of_is_an_error_for_our_own_variables() {
    let luigis = Folder::new(&[("here/x.toml", "[a]\nx = 1\n")])
        .variable("LUIGI_CONFIG_PARSER", "yaml")
        .variable("LUIGI_CONFIG_PATH", "x.toml");
    assert_eq!(
        luigis.load().expect("loads").get("a", "x").expect("reads"),
        None
    );
    let absent = Folder::new(&[]).variable("LUIGI_CONFIG_PATH", "absent.cfg");
    assert!(absent.load().is_ok());

    let parser = Folder::new(&[]).variable("CONDOTTA_CONFIG_PARSER", "yaml");
    assert_eq!(
        parser.error(),
        "CONDOTTA_CONFIG_PARSER is \"yaml\", which is no parser; use cfg, conf, ini or toml"
    );
    let absent = Folder::new(&[])
        .variable("LUIGI_CONFIG_PATH", "other.cfg")
        .variable("CONDOTTA_CONFIG_PATH", "absent.cfg");
    assert_eq!(
        absent.error(),
        "configuration /here/absent.cfg does not exist; correct or unset CONDOTTA_CONFIG_PATH"
    );
    let toml = Folder::new(&[("here/x.toml", "")]).variable("CONDOTTA_CONFIG_PATH", "x.toml");
    assert!(toml.error().contains("CONDOTTA_CONFIG_PARSER"));
}

#[test]
fn an_unreadable_file_is_an_error_and_a_folder_is_no_file() {
    let folder = Folder::new(&[]);
    fs::write(folder.path().join("here/luigi.cfg"), b"[a]\nx = \xff\n").expect("written");
    assert!(
        folder
            .error()
            .starts_with("cannot read configuration /here/luigi.cfg")
    );

    let folder = Folder::new(&[]);
    fs::create_dir(folder.path().join("here/luigi.cfg")).expect("made");
    assert!(folder.load().is_ok());
}

#[test]
fn mistakes_name_file_line_section_and_key() {
    let folder = Folder::new(&[(
        "here/luigi.cfg",
        "[core]\nworkers = many\n\nmodule = ${NO_SUCH_VARIABLE}\nx = %(gone)s\n",
    )]);
    let config = folder.load().expect("loads");
    let shorten = |error: ConfigError| {
        let folder = format!("{}/here/", folder.path().display());
        error.to_string().replace(&folder, "")
    };
    assert_eq!(
        shorten(config.get_int("core", "workers").expect_err("no number")),
        "luigi.cfg:2: [core] workers is \"many\", write a whole number"
    );
    assert_eq!(
        shorten(config.get("core", "module").expect_err("no variable")),
        "luigi.cfg:4: [core] module: refers to a nonexisting environment variable \
         NO_SUCH_VARIABLE; set it before the start"
    );
    assert!(shorten(config.get("core", "x").expect_err("no key")).contains("%(gone)s"));

    let toml = Config::from_toml("[a]\nx = 1\n[b]\ny = ?\n").expect_err("no TOML");
    assert!(
        toml.to_string()
            .starts_with("configuration text:4: not valid TOML")
    );
    let top = Config::from_toml("x = 1\n").expect_err("no section");
    assert!(top.to_string().contains("before any section"));
    let typed = Config::from_toml("[a]\nx = [1]\n").expect("loads");
    assert_eq!(
        typed.get_bool("a", "x").expect_err("no bool").to_string(),
        "configuration text:2: [a] x is [1], write true or false"
    );
}

#[test]
fn set_wins_over_files_and_interpolates_as_they_do() {
    let mut config: Config = "[a]\nx = 1\n".parse().expect("parses");
    config.set("a", "x", "2").expect("sets");
    config.set("new", "y", "%%").expect("sets");
    config.set("new", "n", 3).expect("sets");
    assert_eq!(config.get_int("a", "x").expect("a number"), Some(2));
    assert_eq!(
        config.get_text("new", "y").expect("reads").as_deref(),
        Some("%")
    );
    assert_eq!(config.get_int("new", "n").expect("a number"), Some(3));
    assert!(config.set("a", "x", "100%").is_err());
    assert_eq!(config.get_int("a", "x").expect("a number"), Some(2));
}

#[test]
fn toml_keeps_the_files_order_and_types() {
    let config =
        Config::from_toml("[z]\nb = 1\na = 2024-01-02\n[a]\nt = {y = 0x10, x = [true, \"s\"]}\n")
            .expect("loads");
    assert_eq!(config.section_names().collect::<Vec<_>>(), ["z", "a"]);
    let keys: Vec<String> = config
        .section("z")
        .expect("reads")
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, ["b", "a"]);
    assert_eq!(
        config.get_text("z", "a").expect("reads").as_deref(),
        Some("2024-01-02")
    );
    assert_eq!(
        config.get_text("a", "t").expect("reads").as_deref(),
        Some(r#"{"y": 16, "x": [true, "s"]}"#)
    );
    let value = config
        .get("z", "b")
        .expect("reads")
        .expect("is there")
        .value;
    assert_eq!(value, Value::Integer(1));
}
