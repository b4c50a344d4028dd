//! What a configuration may not say, and what it may.

use crate::{Test, place::Place};

pub(crate) const TESTS: &[Test] = &[
    ("what_makes_no_sense_is_said_before_anything_runs", refused),
    ("a_default_sends_all_but_those_that_stay", default),
    ("what_slurm_does_not_take_fails_the_task", not_taken),
];

fn refused() {
    let place = Place::new(&[]);
    let folder = place.path("runs");
    let folder = folder.display();
    for (text, error) in [
        (
            "[engine]\nSum = slrum\n",
            "luigi.cfg:2: [engine] Sum is \"slrum\": there are local, ",
        ),
        (
            "[engine]\nSum = slurm\n",
            "Sum is to run on slurm, which needs folder (",
        ),
        (
            "[engine]\nSums = slurm\n",
            "[engine] names Sums, which is no task of this program; did you mean Sum?",
        ),
        (
            "[engine]\nSum = slurm\n[engine:Sum]\nmemroy = 1G\n",
            "section [engine:Sum] has no key memroy; slurm knows ",
        ),
        (
            "[engine:Sum]\nmemory = 1G\n",
            "section [engine:Sum] is for no engine, ",
        ),
    ] {
        let text = if text.starts_with("[engine]\nSums") {
            format!("{text}[engine:slurm]\nfolder = {folder}\n")
        } else {
            text.to_owned()
        };
        place.write("luigi.cfg", &text);
        let ran = place.run("Report --count 2");
        assert_eq!(ran.code, 4, "{}", ran.stderr);
        ran.says(error);
        assert_eq!(place.ran("Numbers").len(), 0, "nothing ran");
    }
    // Another program's family is that program's business.
    place.write(
        "luigi.cfg",
        &format!("[engine]\nElsewhere = slurm\n[engine:slurm]\nfolder = {folder}\n"),
    );
    assert_eq!(place.run("Report --count 2").code, 0);
}

fn default() {
    let place = Place::new(&[]);
    let folder = place.path("runs");
    place.write(
        "luigi.cfg",
        &format!(
            "[engine]\ndefault = slurm\nSum = local\n[engine:slurm]\nfolder = {}\ninterval = 0.3\n",
            folder.display()
        ),
    );
    let ran = place.run("Report --count 2");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!place.ran("Numbers")[0].is_empty() && !place.ran("Report")[0].is_empty());
    assert_eq!(place.ran("Sum"), [""]);
}

fn not_taken() {
    let place = Place::new(&["Sum"]);
    let configuration = place.read("luigi.cfg");
    place.write(
        "luigi.cfg",
        &format!("{configuration}[engine:Sum]\npartition = no-such\n"),
    );
    let ran = place.run("Sum --count 2");
    ran.says("Slurm does not take ");
    ran.says("invalid partition");
    ran.says("* 1 failed:");
}
