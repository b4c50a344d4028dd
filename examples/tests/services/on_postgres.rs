//! The weather pipeline with a real PostgreSQL at both ends: what comes of it is what comes of the run
//! with files.

use condotta::{
    database::Database,
    target::{MemoryStore, ReadWrite as _},
};

use condotta_test_servers::databases::{Kind, PASSWORD, Server};

use crate::program::{Program, Ran, assert_counts};

/// The table of the result, as text.
pub(crate) fn result(database: &Database) -> String {
    let target = MemoryStore::new().target("result");
    let query = "SELECT * FROM monthly_weather ORDER BY rank";
    assert_eq!(
        database
            .query_snapshot(query)
            .csv(&target)
            .expect("it dumps"),
        48
    );
    target.read_to_string().expect("it is text")
}

#[test]
fn weather_on_postgres_is_the_weather_in_files() {
    let in_files = Program::example("weather");
    let ran_in_files = in_files.run(&[]);
    assert_counts(&ran_in_files, 0, 5);

    let server = Server::start(Kind::Postgres);
    let url = server.database("weather");
    let flag = format!(
        "--Weather-database-url={}",
        url.replace(&format!(":{PASSWORD}@"), "@")
    );
    let program = Program::example("weather");
    let run = || {
        let mut command = program.command(&["IngestToDatabase", &flag]);
        Ran::from(command.env("PGPASSWORD", PASSWORD).output().unwrap())
    };
    let ran = run();
    assert_counts(&ran, 0, 5);
    assert_eq!(ran.stdout, ran_in_files.stdout, "people see the same table");
    assert!(!(ran.stdout + &ran.stderr).contains(PASSWORD));

    let folder = "target/weather";
    let files = [
        "monthly.csv",
        "ranked.csv",
        "report.csv",
        "temperatures.csv",
    ];
    assert_eq!(program.files(folder), files);
    for file in files.map(|file| format!("{folder}/{file}")) {
        assert!(
            program.read(&file) == in_files.read(&file),
            "{file} is the same"
        );
    }
    let database = Database::new(&url).unwrap();
    let file = in_files.path("target/weather/warehouse.sqlite");
    assert_eq!(result(&database), result(&Database::sqlite(file)));
    let markers = "SELECT target_table FROM table_updates ORDER BY 1";
    let markers = server.ask(Some("weather"), markers);
    assert_eq!(markers, "hourly_temperature\nmonthly_weather\n");

    assert_counts(&run(), 1, 0);
    database.execute("DELETE FROM table_updates").unwrap();
    assert_counts(&run(), 1, 1);
    assert_eq!(result(&database).lines().count(), 49);
}
