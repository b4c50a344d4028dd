//! What is logged, and where.

use crate::program::Place;

const GREET: &str = "Greet --local-scheduler --name Ann";

#[test]
fn by_default_lines_are_luigis() {
    let ended = Place::new().run(GREET).succeeded();
    for line in [
        "DEBUG: Checking if Greet(name=Ann, times=1, shout=False, mean_it=False, tone=Warm) is complete\n",
        "INFO: Informed scheduler that task   Greet_False_Ann_False_",
        "INFO: Done scheduling tasks\n",
        // What the task itself says.
        "INFO: Warm greeting, meant: false\n",
        "INFO: \n===== Luigi Execution Summary =====\n\nScheduled 1 tasks of which:\n",
    ] {
        ended.says(line);
    }
    assert!(
        ended
            .stderr
            .ends_with("\n===== Luigi Execution Summary =====\n\n"),
        "{ended:#?}"
    );
}

#[test]
fn the_level_is_a_setting() {
    let place = Place::new();
    let info = place.run(&format!("{GREET} --log-level INFO")).succeeded();
    info.does_not_say("DEBUG");
    info.says("INFO: ");
    let none = place
        .run(&format!("{GREET} --log-level CRITICAL"))
        .succeeded();
    assert_eq!(none.stderr, "");
    place.write("luigi.cfg", "[core]\nno_configure_logging = true\n");
    let off = place.run(GREET).succeeded();
    assert_eq!(off.stderr, "");
}

#[test]
fn a_configuration_in_pythons_format_is_followed() {
    let place = Place::new();
    place.write(
        "logging.cfg",
        "[loggers]\nkeys = root, luigi\n[handlers]\nkeys = out, file\n[formatters]\nkeys = f\n\
         [logger_root]\nlevel = WARNING\nhandlers = out\n\
         [logger_luigi]\nqualname = luigi-interface\nlevel = INFO\nhandlers = file\npropagate = 0\n\
         [handler_out]\nclass = StreamHandler\nargs = (sys.stdout,)\n\
         [handler_file]\nclass = FileHandler\nargs = ('run.log', 'w')\nformatter = f\n\
         [formatter_f]\nformat = %(asctime)s %(name)s|%(levelname)s|%(message)s\ndatefmt = %Y\n",
    );
    let ended = place
        .run(&format!("{GREET} --logging-conf-file logging.cfg"))
        .succeeded();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    let log = std::fs::read_to_string(place.path("run.log")).unwrap();
    assert!(
        log.contains(" luigi-interface|INFO|Done scheduling tasks\n"),
        "{log}"
    );
    assert!(!log.contains("DEBUG"), "{log}");
    let missing = place.run(&format!("{GREET} --logging-conf-file nowhere.cfg"));
    assert_eq!(missing.code, 4);
    missing.says("ERROR: logging configuration nowhere.cfg: cannot be read: ");
}
