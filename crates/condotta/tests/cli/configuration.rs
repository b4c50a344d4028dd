//! Configuration files, in Luigi's places and under Luigi's names.

use crate::program::{Ended, Place};

#[test]
fn parameters_are_read_from_the_section_of_their_class() {
    let place = Place::new();
    place.write(
        "luigi.cfg",
        "[core]\nlocal_scheduler = true\n[Greet]\ntimes = 2\nname = ${WHO}\n",
    );
    let run = |who: Option<&str>| {
        let mut command = place.command("Greet");
        who.map(|who| command.env("WHO", who));
        Ended::from(command.output().unwrap())
    };
    run(Some("Zoe")).succeeded();
    assert_eq!(place.output("greeting-Zoe"), "Hello Zoe!\nHello Zoe!\n");
    let missing = run(None);
    assert_eq!(missing.code, 4);
    missing.says("[Greet] name");
    missing.says("WHO");
}

#[test]
fn flags_come_before_the_configuration() {
    let place = Place::new();
    place.write(
        "luigi.cfg",
        "[core]\nlocal_scheduler = true\nlog_level = ERROR\n[Greet]\ntimes = 2\n",
    );
    let quiet = place.run("Greet --name Ann").succeeded();
    assert_eq!(quiet.stderr, "");
    assert_eq!(place.output("greeting-Ann").lines().count(), 2);
    place.run("Greet --name Bob --times 3").succeeded();
    assert_eq!(place.output("greeting-Bob").lines().count(), 3);
}

#[test]
fn config_sections_are_read_and_can_be_given_as_flags() {
    let place = Place::new();
    place.write("luigi.cfg", "[output]\nfolder = elsewhere\n");
    place.run("Greet --local-scheduler --name Ann").succeeded();
    assert!(place.path("elsewhere/greeting-Ann").exists());
    place
        .run("Greet --local-scheduler --name Ann --output-folder third")
        .succeeded();
    assert!(place.path("third/greeting-Ann").exists());
}

#[test]
fn a_file_can_be_named_by_either_variable() {
    let place = Place::new();
    place.write("named.cfg", "[core]\nlocal_scheduler = true\n");
    for variable in ["LUIGI_CONFIG_PATH", "CONDOTTA_CONFIG_PATH"] {
        let mut command = place.command("Greet --name Ann");
        command.env(variable, "named.cfg");
        Ended::from(command.output().unwrap()).succeeded();
    }
    let mut command = place.command("Greet --name Ann");
    command.env("CONDOTTA_CONFIG_PATH", "not-there.cfg");
    let ended = Ended::from(command.output().unwrap());
    assert_eq!(ended.code, 4);
    ended.says("not-there.cfg");
}

#[test]
fn toml_is_read_when_asked_for() {
    let place = Place::new();
    place.write(
        "luigi.toml",
        "[core]\nlocal_scheduler = true\n[Greet]\ntimes = 2\nshout = true\n",
    );
    let mut command = place.command("Greet --name Ann");
    command.env("LUIGI_CONFIG_PARSER", "toml");
    Ended::from(command.output().unwrap()).succeeded();
    assert_eq!(place.output("greeting-Ann"), "HELLO ANN!\nHELLO ANN!\n");
}

#[test]
fn old_names_are_understood_with_a_warning() {
    let place = Place::new();
    place.write("luigi.cfg", "[core]\nworker-wait-interval = -1\n");
    let ended = place.run("Greet --local-scheduler --name Ann");
    assert_eq!(ended.code, 4);
    ended.says("WARNING: The use of the configuration [core] worker-wait-interval is deprecated. Please use [worker] wait_interval");
    ended.says("ERROR: [worker] wait_interval must be positive");
    ended.does_not_say("not consumed");
}

#[test]
fn keys_that_nobody_reads_are_warned_of() {
    let place = Place::new();
    place.write("luigi.cfg", "[DEFAULT]\nanything = 1\n[core]\nautoload_range = true\n[Greet]\ntiems = 2\n[worker]\nkeep_alife = true\n[Unknown]\nx = 1\n");
    let ended = place.run("Greet --local-scheduler --name Ann").succeeded();
    ended.says("WARNING: The configuration contains the parameter 'tiems' with value '2' that is not consumed by the task 'Greet'.");
    ended.says("luigi.cfg:6; did you mean times?)");
    ended.says("luigi.cfg:8: section [worker] has no key keep_alife, which is ignored; did you mean keep_alive?");
    ended.does_not_say("anything");
    ended.does_not_say("autoload_range");
    ended.does_not_say("Unknown");
}

#[test]
fn a_misspelt_section_is_warned_of_once() {
    let place = Place::new();
    place.write(
        "luigi.cfg",
        "[cor]\nworkers = 2\n[Gret]\nbad = ${NOT_THERE_AT_ALL}\n[Geret]\ntimes = 2\n[resource]\nx = 1\n",
    );
    let ended = place.run("Greet --local-scheduler --name Ann").succeeded();
    for (line, section, near) in [
        (2, "cor", "core"),
        (6, "Geret", "Greet"),
        (8, "resource", "resources"),
    ] {
        let warning = format!(
            "luigi.cfg:{line}: nothing in this program reads section [{section}]; did you mean [{near}]?"
        );
        assert_eq!(ended.stderr.matches(&warning).count(), 1, "{ended:#?}");
    }
}

#[test]
fn the_sections_of_stores_are_known() {
    let place = Place::new();
    place.write(
        "luigi.cfg",
        "[s3]\nregion_name = x\n[azure]\naccount_name = x\n[gcs]\ntoken = x\n[sftp]\nkey_file = x\n[ftp]\nusername = x\n\
         [hdfs]\neffective_user = x\n[webhdfs]\nuser = x\n[sfttp]\nkey_file = x\n[engin]\ndefault = local\n",
    );
    let ended = place.run("Greet --local-scheduler --name Ann").succeeded();
    ended.says("luigi.cfg:16: nothing in this program reads section [sfttp]; did you mean [sftp]?");
    ended.says(
        "luigi.cfg:18: nothing in this program reads section [engin]; did you mean [engine]?",
    );
    assert_eq!(ended.stderr.matches("nothing in this program").count(), 2);
}

#[test]
fn a_misspelt_default_of_the_engine_is_refused() {
    let place = Place::new();
    place.write("luigi.cfg", "[engine]\ndefualt = local\n");
    let ended = place.run("Greet --local-scheduler --name Ann");
    assert_eq!(ended.code, 4);
    ended.says("[engine] names defualt, which is no task of this program; did you mean default?");
}

#[test]
fn a_value_that_is_not_valid_is_named_with_its_place() {
    let place = Place::new();
    place.write("luigi.cfg", "[Greet]\ntimes = often\n");
    let ended = place.run("Greet --local-scheduler --name Ann");
    assert_eq!(ended.code, 4);
    ended.says("Greet: parameter times: \"often\" is not valid: ");
    ended.says("luigi.cfg:2, section [Greet]); correct it there, or give --Greet-times");
    let flag = place.run("Greet --local-scheduler --name Ann --Greet-times rarely");
    flag.says("parameter times: \"rarely\" is not valid: ");
    flag.says(" (from --Greet-times)");
}
