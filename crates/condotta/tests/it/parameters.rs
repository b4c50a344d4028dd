//! How the values of parameters are found, checked and described.

use std::collections::HashMap;

use condotta::{
    class::{FlagKind, Origin, ParamError, ParamSource, ParamSpec},
    params::Parameters,
    prelude::*,
    registry, settings,
};
use jiff::civil::date;

/// Texts by the names of parameters, as a command line would give them.
#[derive(Default)]
struct Texts(HashMap<&'static str, Vec<&'static str>>);

impl Texts {
    fn of<const N: usize>(texts: [(&'static str, &'static str); N]) -> Self {
        Self(
            texts
                .into_iter()
                .map(|(name, text)| (name, vec![text]))
                .collect(),
        )
    }
}

impl ParamSource for Texts {
    fn given(&self, _family: &str, param: &ParamSpec) -> Option<(Vec<String>, Origin)> {
        let texts = self.0.get(param.name)?;
        Some((
            texts.iter().map(|text| (*text).to_owned()).collect(),
            Origin::CommandLine,
        ))
    }
}

fn build<T: Parameters>(texts: &Texts) -> T {
    T::from_source(texts).unwrap()
}

fn error<T: Parameters>(texts: &Texts) -> String {
    match T::from_source(texts) {
        Ok(_) => panic!("it was built"),
        Err(error) => error.to_string(),
    }
}

/// How loud.
#[derive(Debug, PartialEq, ParameterEnum)]
enum Level {
    Low,
    #[param(name = "very-high")]
    VeryHigh,
}

mod hexadecimal {
    use std::num::ParseIntError;

    pub(crate) fn parse(text: &str) -> Result<u32, ParseIntError> {
        u32::from_str_radix(text, 16)
    }

    pub(crate) fn serialize(value: &u32) -> String {
        format!("{value:x}")
    }
}

/// Has one of everything.
///
/// In two paragraphs.
#[derive(Task)]
struct Everything {
    /// The day
    /// of the report.
    day: Date,
    #[param(default = "low-level", description = "A text.")]
    text: String,
    #[param(default)]
    plain: Vec<i64>,
    #[param(default = 40 + 2)]
    number: i32,
    #[param(default = "Low")]
    level: Level,
    flag: bool,
    #[param(parsing = explicit, default = true)]
    explicit: bool,
    optional: Option<i64>,
    #[param(with = hexadecimal, default = "ff", min = "10", max = 0x1_0000)]
    hex: u32,
    /// The share.
    #[param(min = 0.0, max = 1.0, left_op = "<", right_op = "<=", default = 0.5)]
    share: f64,
    #[param(min = 10, default = None)]
    at_least: Option<u8>,
    #[param(choices = ["a", "b"], default = "a")]
    choice: String,
    #[param(significant = false, visibility = private, positional = false, always_in_help)]
    #[param(default = "", config(section = "core", name = "note"))]
    note: String,
    #[param(default = "2013-07-10T1925", interval = 15)]
    quarter: DateMinute,
    #[param(default = "2013-07-10", interval = 7, start = "2013-07-09")]
    week: Date,
    #[param(skip)]
    cache: Vec<u8>,
}

#[task]
impl Task for Everything {}

fn spec(name: &str) -> ParamSpec {
    Everything::specs()
        .into_iter()
        .find(|spec| spec.name == name)
        .unwrap()
}

#[test]
fn what_is_not_given_is_the_default() {
    let task: Everything = build(&Texts::of([("day", "2013-07-10")]));
    assert_eq!(task.day, date(2013, 7, 10));
    assert_eq!(task.text, "low-level");
    assert!(task.plain.is_empty());
    assert_eq!(task.number, 42);
    assert_eq!(task.level, Level::Low);
    assert!(!task.flag);
    assert!(task.explicit);
    assert_eq!(task.optional, None);
    assert_eq!(task.hex, 255);
    assert_eq!(task.at_least, None);
    assert!(task.cache.is_empty());
}

#[test]
fn values_are_put_on_their_grid_wherever_they_come_from() {
    let task: Everything = build(&Texts::of([("day", "2013-07-10")]));
    assert_eq!(task.quarter.to_string(), "2013-07-10T1915");
    assert_eq!(task.week, date(2013, 7, 9));
    let task = Everything {
        week: date(2013, 7, 17),
        ..task
    };
    let task = AnyTask::new(task);
    let task = task.downcast_ref::<Everything>().unwrap();
    assert_eq!(task.week, date(2013, 7, 16));
    assert_eq!(
        Everything::next_in_enumeration("week", "2013-07-16").as_deref(),
        Some("2013-07-23")
    );
    assert_eq!(Everything::next_in_enumeration("text", "a"), None);
}

#[test]
fn texts_are_read_by_the_field() {
    let task: Everything = build(&Texts::of([
        ("day", "2013-07-10"),
        ("plain", "[1, 2]"),
        ("level", "very-high"),
        ("flag", "TRUE"),
        ("explicit", "false"),
        ("optional", ""),
        ("hex", "1f"),
        ("share", "1"),
        ("at_least", "10"),
    ]));
    assert_eq!(task.plain, [1, 2]);
    assert_eq!(task.level, Level::VeryHigh);
    assert!(task.flag && !task.explicit);
    assert_eq!(
        (task.optional, task.hex, task.share, task.at_least),
        (None, 31, 1.0, Some(10))
    );
}

#[test]
fn errors_name_the_task_the_parameter_the_value_and_the_reason() {
    assert_eq!(
        error::<Everything>(&Texts::default()),
        "Everything: missing parameter day: give --day, or set it in section [Everything] of the \
         configuration"
    );
    let cases = [
        ("day", "today", "expected a date, YYYY-MM-DD"),
        ("number", "4.5", "expected a whole number"),
        ("level", "High", "expected one of Low, very-high"),
        ("share", "0", "it is not in the range float in (0.0, 1.0]"),
        ("at_least", "9", "it is not in the range int in [10, inf)"),
        ("choice", "c", "expected one of a, b"),
        ("hex", "xyz", "invalid digit found in string"),
        ("hex", "f", "it is not in the range int in [10, 10000)"),
    ];
    for (name, text, reason) in cases {
        let mut texts = Texts::of([("day", "2013-07-10")]);
        texts.0.insert(name, vec![text]);
        assert_eq!(
            error::<Everything>(&texts),
            format!(
                "Everything: parameter {name}: {text:?} is not valid: {reason} (from \
                 --Everything-{})",
                name.replace('_', "-")
            )
        );
    }
}

#[test]
fn help_shows_what_the_author_said_and_what_the_type_adds() {
    let class = registry::find("Everything").unwrap();
    assert_eq!(
        class.description,
        "Has one of everything.\n\nIn two paragraphs."
    );
    assert_eq!(spec("day").description, "The day of the report.");
    assert_eq!(spec("text").description, "A text.");
    assert_eq!(
        spec("share").description,
        "The share. permitted values: float in (0.0, 1.0]"
    );
    assert_eq!(spec("choice").description, "Choices: {a, b}");
    assert_eq!(spec("level").choices, ["Low", "very-high"]);
    assert_eq!(spec("day").default, None);
    assert_eq!(spec("day").form, "YYYY-MM-DD");
    assert_eq!(spec("hex").default.as_deref(), Some("ff"));
    assert_eq!(spec("flag").flag, FlagKind::Switch);
    assert_eq!(spec("flag").default.as_deref(), Some("False"));
    assert_eq!(spec("explicit").flag, FlagKind::OptionalBool);
    let note = spec("note");
    assert_eq!(note.config, Some(("core", "note")));
    assert!(!note.significant && !note.positional && note.always_in_help);
}

#[test]
fn a_value_that_rust_code_gave_is_checked_too() {
    let task: Everything = build(&Texts::of([("day", "2013-07-10")]));
    let task = AnyTask::new(Everything { share: 7.0, ..task });
    assert_eq!(
        task.complete().unwrap_err().to_string(),
        "Everything: parameter share: \"7.0\" is not valid: it is not in the range float in (0.0, \
         1.0]"
    );
}

#[derive(Task)]
struct Batched {
    #[param(batch_method = max)]
    day: Date,
    #[param(batch_method = concat)]
    names: Vec<String>,
    #[param(batch_method = total)]
    amount: u64,
    region: String,
}

#[task]
impl Task for Batched {}

fn total(amounts: Vec<u64>) -> u64 {
    amounts.into_iter().sum()
}

#[test]
fn the_members_of_a_batch_become_one() {
    let mut texts = Texts(HashMap::from([
        ("day", vec!["2013-07-10", "2013-07-12", "2013-07-11"]),
        ("names", vec!["[\"a\"]", "[]", "[\"b\", \"c\"]"]),
        ("amount", vec!["1", "2", "3"]),
        ("region", vec!["north", "north", "north"]),
    ]));
    let task: Batched = build(&texts);
    assert_eq!(task.day, date(2013, 7, 12));
    assert_eq!(task.names, ["a", "b", "c"]);
    assert_eq!((task.amount, task.region.as_str()), (6, "north"));
    texts.0.insert("region", vec!["north", "south"]);
    assert_eq!(
        error::<Batched>(&texts),
        "Batched: parameter region: \"north, south\" is not valid: it differs within a batch and \
         has no batch_method (from --Batched-region)"
    );
}

#[test]
fn a_builder_takes_what_it_is_given_and_finds_the_rest() {
    let task = Everything::builder()
        .day(date(2013, 7, 10))
        .text("given")
        .build()
        .unwrap();
    assert_eq!((task.text.as_str(), task.number), ("given", 42));
    assert!(matches!(
        Everything::builder().build(),
        Err(ParamError::Missing { param, .. }) if param == "day"
    ));
}

#[derive(Task)]
struct Daily {
    day: Date,
    number: i64,
}

#[task]
impl Task for Daily {
    fn requires(&self) -> Result<(Everything, Everything)> {
        let changed = Everything::builder().inherit(self).number(7).build()?;
        Ok((self.clone_as()?, changed))
    }
}

#[test]
fn parameters_are_taken_over_from_another_task() {
    let (same, changed) = Daily {
        day: date(2013, 7, 10),
        number: 3,
    }
    .requires()
    .unwrap();
    assert_eq!(
        (same.day, same.number, same.text.as_str()),
        (date(2013, 7, 10), 3, "low-level")
    );
    assert_eq!((changed.day, changed.number), (date(2013, 7, 10), 7));
}

#[derive(Task)]
struct Configured {
    #[param(default = "default")]
    name: String,
    #[param(default = "default")]
    other: String,
}

#[task]
impl Task for Configured {}

struct Installed;

impl ParamSource for Installed {
    fn given(&self, family: &str, param: &ParamSpec) -> Option<(Vec<String>, Origin)> {
        let known = family == "Configured" && param.name == "name";
        known.then(|| (vec!["configured".to_owned()], Origin::Config(None)))
    }
}

#[derive(Task)]
struct Named {
    name: String,
}

#[task]
impl Task for Named {}

#[test]
fn settings_go_before_defaults_and_values_before_settings() {
    settings::install(Installed).unwrap();
    assert!(settings::install(Installed).is_err());
    let found = Configured::builder().build().unwrap();
    assert_eq!(
        (found.name.as_str(), found.other.as_str()),
        ("configured", "default")
    );
    let given = Configured::builder().name("given").build().unwrap();
    assert_eq!(given.name, "given");
    let parent = Named {
        name: "inherited".to_owned(),
    };
    assert_eq!(parent.clone_as::<Configured>().unwrap().name, "inherited");
    let both = Configured::builder()
        .inherit(&parent)
        .name("given")
        .build()
        .unwrap();
    assert_eq!(both.name, "given");
}

/// Where mail goes.
#[derive(Config)]
#[config(section = "test-mail")]
struct Mail {
    /// To whom.
    #[param(default = "nobody@example.com")]
    receiver: String,
}

#[test]
fn a_config_section_is_listed_but_is_no_task() {
    assert_eq!(Mail::get().unwrap().receiver, "nobody@example.com");
    let class = registry::all()
        .into_iter()
        .find(|class| (class.family)() == "test-mail")
        .unwrap();
    assert!(class.build.is_none());
    assert_eq!((class.params)()[0].description, "To whom.");
    assert!(registry::find("test-mail").is_err());
}

/// What has to be said.
#[derive(Config)]
#[config(section = "Test_store")]
struct Needed {
    /// Where it is.
    the_url: String,
}

#[test]
fn a_setting_that_is_missing_is_named_with_its_section_and_its_flag() {
    let Err(error) = Needed::get() else {
        panic!("nothing says it");
    };
    assert_eq!(
        error.to_string(),
        "[Test_store] says no the_url, which has no default: set it in section [Test_store] of the configuration, \
         or give --Test-store-the-url"
    );
}
