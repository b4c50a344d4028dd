//! What can never run is said, where luigid waits for ever.

use serde_json::json;

use crate::processes::{Kind, Place, Server, wait_until};

#[test]
fn what_can_never_run_is_named_in_the_log() {
    let place = Place::new();
    place.write("luigi.cfg", "[resources]\ngpu = 1\n");
    let server = Server::start(&place, Kind::Ours);
    for (task_id, deps, gpus) in [
        ("Egg", ["Hen"].as_slice(), 0),
        ("Hen", &["Egg"], 0),
        ("Self", &["Self"], 0),
        ("Report", &["Nobodys"], 0),
        ("Greedy", &[], 2),
        ("Honest", &[], 1),
    ] {
        let task = json!({
            "worker": "w", "task_id": task_id, "deps": deps, "resources": {"gpu": gpus},
        });
        server.rpc.call("add_task", &task);
    }
    let work = server.rpc.call("get_work", &json!({"worker": "w"}));
    assert_eq!(work["task_id"], "Honest");
    server.rpc.call("prune", &json!({}));
    for said in [
        "task Egg can never run: it waits for itself: Egg -> Hen -> Egg",
        "task Hen can never run: it waits for itself: Hen -> Egg -> Hen",
        "task Self can never run: it waits for itself: Self -> Self",
        "task Nobodys can never run: something depends on it, but no worker announced it",
        "task Greedy can never run: it needs 2 of resource gpu, of which there is 1",
    ] {
        wait_until(said, || server.stderr().contains(said));
    }
    assert_eq!(server.stderr().matches("can never run").count(), 5);
}
