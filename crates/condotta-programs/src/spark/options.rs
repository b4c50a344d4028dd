//! The options of `spark-submit`: their names, in which order they are given, and in which form.

use std::collections::BTreeMap;

/// How the value of an option is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As it is.
    Text,
    /// Several with commas, without blanks.
    List,
    /// `--conf name=value` for each.
    Conf,
    /// The option alone, if it is true.
    Flag,
    /// As an environment variable.
    Variable(&'static str),
    /// As two of Spark's properties.
    Python(&'static str),
    /// The command itself.
    Command,
}

/// Every option, in Luigi's order.
const OPTIONS: &[(&str, Form)] = &[
    ("spark-submit", Form::Command),
    ("master", Form::Text),
    ("deploy-mode", Form::Text),
    ("name", Form::Text),
    ("class", Form::Text),
    ("jars", Form::List),
    ("packages", Form::List),
    ("py-files", Form::List),
    ("files", Form::List),
    ("archives", Form::List),
    ("conf", Form::Conf),
    ("pyspark-python", Form::Python("spark.pyspark.python")),
    (
        "pyspark-driver-python",
        Form::Python("spark.pyspark.driver.python"),
    ),
    ("properties-file", Form::Text),
    ("driver-memory", Form::Text),
    ("driver-java-options", Form::Text),
    ("driver-library-path", Form::Text),
    ("driver-class-path", Form::Text),
    ("executor-memory", Form::Text),
    ("driver-cores", Form::Text),
    ("supervise", Form::Flag),
    ("total-executor-cores", Form::Text),
    ("executor-cores", Form::Text),
    ("queue", Form::Text),
    ("num-executors", Form::Text),
    ("hadoop-conf-dir", Form::Variable("HADOOP_CONF_DIR")),
    ("hadoop-user-name", Form::Variable("HADOOP_USER_NAME")),
];

/// A setting cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("spark-submit has no option {name}; there are {}", known())]
pub struct SparkOptionError {
    name: String,
}

fn known() -> String {
    let names: Vec<&str> = OPTIONS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// What is set.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    values: BTreeMap<&'static str, String>,
    conf: Vec<(String, String)>,
}

impl Options {
    /// Takes a value in the form of the configuration. An empty one says nothing.
    pub(super) fn configure(&mut self, name: &str, value: &str) -> Result<(), SparkOptionError> {
        let name = name.replace('_', "-");
        let Some((known, form)) = OPTIONS.iter().find(|(known, _)| *known == name) else {
            return Err(SparkOptionError { name });
        };
        match form {
            Form::Conf => {
                let pairs = value.split('|').filter_map(|pair| pair.split_once('='));
                for (name, value) in pairs {
                    self.set_conf(name.trim(), value);
                }
            }
            _ if value.is_empty() => {}
            _ => self.set(known, value),
        }
        Ok(())
    }

    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        self.values.insert(name, value.to_owned());
    }

    pub(super) fn set_conf(&mut self, name: &str, value: &str) {
        self.conf.retain(|(known, _)| known != name);
        self.conf.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// As `spark-submit` takes them.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        for (name, form) in OPTIONS {
            let option = format!("--{name}");
            let value = self.get(name);
            match (form, value) {
                (Form::Text, Some(value)) => arguments.extend([option, value.to_owned()]),
                (Form::List, Some(value)) => {
                    let items: Vec<&str> = value.split(',').map(str::trim).collect();
                    arguments.extend([option, items.join(",")]);
                }
                (Form::Flag, Some(value)) if is_true(value) => arguments.push(option),
                (Form::Python(property), Some(value)) => {
                    arguments.extend(["--conf".to_owned(), format!("{property}={value}")]);
                }
                (Form::Conf, _) => {
                    for (name, value) in &self.conf {
                        arguments.extend([option.clone(), format!("{name}={value}")]);
                    }
                    // Its lines are the only ones that tell of progress.
                    if !self.conf.iter().any(|(name, _)| name == PROGRESS) {
                        arguments.extend([option, format!("{PROGRESS}=true")]);
                    }
                }
                _ => {}
            }
        }
        arguments
    }

    /// The variables that tell Spark about Hadoop.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        let variable = |(name, form): &(&str, Form)| match form {
            Form::Variable(variable) => Some((*variable, self.get(name)?.to_owned())),
            _ => None,
        };
        OPTIONS.iter().filter_map(variable).collect()
    }
}

const PROGRESS: &str = "spark.ui.showConsoleProgress";

/// What Luigi's configuration takes for true.
fn is_true(word: &str) -> bool {
    let word = word.trim().to_ascii_lowercase();
    !["", "0", "false", "no", "none", "off"].contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_given_in_its_form_and_order() {
        let mut options = Options::default();
        for (name, value) in [
            ("num_executors", "6"),
            ("supervise", "True"),
            ("queue", "nightly"),
            ("executor_cores", "4"),
            ("total-executor-cores", "24"),
            ("driver-cores", "3"),
            ("executor-memory", "2g"),
            ("driver-class-path", "/classes"),
            ("driver-library-path", "/native"),
            ("driver-java-options", "-Dfirst=1 -Dsecond=2"),
            ("driver-memory", "700m"),
            ("properties-file", "spark.conf"),
            ("conf", "a=1|b=c=d"),
            ("archives", "z1, z2"),
            ("files", "f1"),
            ("py-files", "one.py"),
            ("packages", "org:thing:1"),
            ("jars", "a.jar, b.jar"),
            ("class", "com.example.CountWords"),
            ("name", "Counting words"),
            ("deploy-mode", "client"),
            ("master", "yarn"),
            ("spark-submit", "/opt/spark-submit"),
            ("pyspark-python", "/py"),
            ("hadoop-conf-dir", "/conf"),
            ("hadoop-user-name", ""),
        ] {
            options.configure(name, value).unwrap();
        }
        let expected = "--master yarn --deploy-mode client --name Counting_words --class com.example.CountWords \
            --jars a.jar,b.jar --packages org:thing:1 --py-files one.py --files f1 --archives z1,z2 \
            --conf a=1 --conf b=c=d --conf spark.ui.showConsoleProgress=true --conf spark.pyspark.python=/py \
            --properties-file spark.conf --driver-memory 700m --driver-java-options -Dfirst=1_-Dsecond=2 \
            --driver-library-path /native --driver-class-path /classes --executor-memory 2g --driver-cores 3 \
            --supervise --total-executor-cores 24 --executor-cores 4 --queue nightly --num-executors 6";
        let arguments = options.arguments().into_iter();
        let arguments: Vec<String> = arguments
            .map(|argument| argument.replace(' ', "_"))
            .collect();
        assert_eq!(arguments, expected.split_whitespace().collect::<Vec<_>>());
        assert_eq!(
            options.environment(),
            [("HADOOP_CONF_DIR", "/conf".to_owned())]
        );
        assert_eq!(options.get("spark-submit"), Some("/opt/spark-submit"));
    }

    #[test]
    fn false_is_no_and_what_is_unknown_is_refused() {
        let mut options = Options::default();
        options.configure("supervise", "false").unwrap();
        options
            .configure("conf", "spark.ui.showConsoleProgress=false")
            .unwrap();
        assert_eq!(
            options.arguments(),
            ["--conf", "spark.ui.showConsoleProgress=false"]
        );
        let error = options.configure("executor_memories", "2g").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no option executor-memories; there are spark-submit, master,")
        );
    }
}
