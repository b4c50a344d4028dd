//! The weather with a real Spark for its filter: to the last digit the same as without.

#[path = "it/installed_spark.rs"]
mod installed_spark;
#[allow(dead_code, reason = "the other tests use more of it")]
#[path = "it/program.rs"]
mod program;
#[allow(dead_code, reason = "the other tests use more of it")]
#[path = "it/server.rs"]
mod server;

use installed_spark::Spark;
use program::{Program, Ran};

#[test]
fn spark_makes_what_the_program_makes() {
    let spark = Spark::find();
    let with_spark = Program::example("weather");
    std::fs::write(with_spark.path("luigi.cfg"), spark.settings())
        .expect("the folder can be written to");
    let mut command = with_spark.command(&["--filter-with", "spark"]);
    spark.set_environment(&mut command);
    let ran = Ran::from(command.output().expect("the example starts"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("INFO: Running command: ") && ran.stderr.contains("/filter.py "),
        "{}",
        ran.stderr
    );

    let without = Program::example("weather");
    let plain = without.run(&[]);
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    let months = "target/weather/monthly.csv";
    assert_eq!(with_spark.read(months).lines().count(), 48);
    assert_eq!(with_spark.read(months), without.read(months));
    assert_eq!(ran.stdout, plain.stdout);
}
