//! A hundred thousand tasks: pages of them are complete, also while tasks come, change and go.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Live;

const TASKS: usize = 100_000;

fn many() -> Live {
    let live = Live::start();
    live.add_tasks((0..TASKS).map(|number| {
        let family = if number % 1000 == 0 { "Rare" } else { "Common" };
        json!({"task_id": format!("T_{number:06}"), "family": family, "priority": number % 7})
    }));
    live
}

fn ids(page: &Value) -> impl Iterator<Item = String> {
    let items = page["items"].as_array().expect("items");
    let ids = items
        .iter()
        .map(|item| item["id"].as_str().expect("an id").to_owned());
    ids.collect::<Vec<_>>().into_iter()
}

#[test]
fn pages_of_a_hundred_thousand_tasks_are_complete() {
    let live = many();
    let page = live.got("/tasks?sort=id&limit=3&offset=99998");
    assert_eq!(ids(&page).collect::<Vec<_>>(), ["T_099998", "T_099999"]);
    assert_eq!(
        (&page["total"], &page["next"]),
        (&json!(TASKS), &Value::Null)
    );
    let rare = live.got("/tasks?family=Rare&limit=1000&sort=-id");
    assert_eq!(
        (ids(&rare).count(), ids(&rare).next().as_deref()),
        (100, Some("T_099000"))
    );
    let found = live.got("/tasks?search=t_0123&sort=id");
    assert_eq!((&found["total"], ids(&found).count()), (&json!(100), 100));
    let top = live.got("/tasks?sort=-priority&limit=2");
    assert_eq!(ids(&top).collect::<Vec<_>>(), ["T_099994", "T_099987"]);
    assert_eq!(live.got("/counts")["counts"]["PENDING"], TASKS);
    let families = live.got("/families");
    assert_eq!(families["namespaces"][0]["families"][1]["total"], 100);
    // From page to page, while every page changes the order of what is left and takes something away.
    let (mut seen, mut next, mut twice) = (BTreeSet::new(), None::<String>, 0);
    for turn in 0.. {
        let after = next.map_or(String::new(), |next| format!("&after={next}"));
        let page = live.got(&format!("/tasks?sort=priority&limit=1000{after}"));
        twice += ids(&page).filter(|id| !seen.insert(id.clone())).count();
        live.add_tasks(
            (0..3)
                .map(|number| json!({"task_id": format!("New_{turn}_{number}"), "family": "New"})),
        );
        live.posted(&format!("/tasks/T_{:06}/disable", turn * 17), &json!({}));
        next = page["next"].as_str().map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    assert_eq!(twice, 0);
    let old = seen.iter().filter(|id| id.starts_with("T_")).count();
    assert_eq!(old, TASKS);
    why_a_task_waits_for_all_of_them(&live);
}

/// Those that were disabled are told first.
fn why_a_task_waits_for_all_of_them(live: &Live) {
    let deps: Vec<String> = (0..TASKS).map(|number| format!("T_{number:06}")).collect();
    let task = json!({"worker": "w", "task_id": "Everything", "deps": deps});
    live.rpc("add_task", &task);
    let hold = live.got("/tasks/Everything/why")["hold"].clone();
    let unmet = (&hold["unmet"], &hold["is_exact"]);
    assert_eq!(unmet, (&json!(TASKS), &json!(true)));
    let [disabled, ready] = &hold["causes"].as_array().expect("causes")[..] else {
        panic!("there are two: {hold}");
    };
    assert_eq!(disabled["hold"]["kind"], "disabled");
    let counts = [disabled, ready].map(|cause| cause["count"].as_u64().expect("a number"));
    assert!(
        counts[0] > 50 && counts[0] + counts[1] == TASKS as u64,
        "{counts:?}"
    );
    assert_eq!(disabled["path"]["tasks"][0]["task_id"], "T_000000");
}
